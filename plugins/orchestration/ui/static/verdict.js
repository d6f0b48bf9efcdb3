/* The verdict on Airflow's home page, in plain JavaScript on Airflow's own React: there is nothing to build. */
const { createElement: h, useEffect, useState } = globalThis.React;
const { Link } = globalThis.ReactRouterDOM;
const COLOURS = { HEALTHY: "#1f7a4d", "NO GAMES": "#1f7a4d", DEGRADED: "#a86f00", UNHEALTHY: "#c0271f" };

globalThis.AirflowPlugin = function OrchestrationVerdict() {
  const [shown, setShown] = useState(null);
  useEffect(() => {
    let over = false;
    const ask = async () => {
      if (document.hidden) return;
      const reply = await fetch(new URL("orchestration/verdict", document.baseURI)).catch(() => null);
      const found = reply && reply.ok ? await reply.json() : { headline: "The verdict of the orchestration cannot be loaded", seen: "", next: "" };
      if (!over) setShown(found);
    };
    ask();
    const timer = setInterval(ask, 60000);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, []);
  if (!shown) return null;
  return h(
    "section",
    { "aria-label": "Orchestration", style: { borderLeft: `8px solid ${COLOURS[shown.verdict] || "#8a97a3"}`, padding: "0.3rem 0.8rem" } },
    h("p", { style: { fontWeight: 600, overflowWrap: "anywhere" } }, h(Link, { to: "/plugin/orchestration" }, shown.headline)),
    shown.seen ? h("p", { style: { fontSize: "0.85rem", opacity: 0.8 } }, `seen ${shown.seen}`) : null,
    shown.next ? h("p", { style: { fontSize: "0.85rem" } }, "next: ", h("code", null, shown.next)) : null,
    shown.beside ? h("p", { style: { fontSize: "0.85rem", overflowWrap: "anywhere" } }, shown.beside) : null,
  );
};
