/* The verdict on Airflow's home page, with the React that Airflow itself has: plain JavaScript, nothing to build. */
const { createElement: h, useEffect, useState } = globalThis.React;
const { Link } = globalThis.ReactRouterDOM;
const COLOURS = { HEALTHY: "#1f7a4d", "NO GAMES": "#1f7a4d", DEGRADED: "#a86f00", UNHEALTHY: "#c0271f" };

globalThis.AirflowPlugin = function OrchestrationVerdict() {
  const [said, setSaid] = useState(null);
  useEffect(() => {
    let over = false;
    const ask = async () => {
      if (document.hidden) return;
      const reply = await fetch(new URL("orchestration/verdict", document.baseURI)).catch(() => null);
      const found = reply && reply.ok ? await reply.json() : { headline: "The orchestration's verdict cannot be asked for", seen: "", next: "" };
      if (!over) setSaid(found);
    };
    ask();
    const timer = setInterval(ask, 60000);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, []);
  if (!said) return null;
  return h(
    "section",
    { "aria-label": "Orchestration", style: { borderLeft: `8px solid ${COLOURS[said.verdict] || "#8a97a3"}`, padding: "0.3rem 0.8rem" } },
    h("p", { style: { fontWeight: 600, overflowWrap: "anywhere" } }, h(Link, { to: "/plugin/orchestration" }, said.headline)),
    said.seen ? h("p", { style: { fontSize: "0.85rem", opacity: 0.8 } }, `seen ${said.seen}`) : null,
    said.next ? h("p", { style: { fontSize: "0.85rem" } }, "next: ", h("code", null, said.next)) : null,
    said.beside ? h("p", { style: { fontSize: "0.85rem", overflowWrap: "anywhere" } }, said.beside) : null,
  );
};
