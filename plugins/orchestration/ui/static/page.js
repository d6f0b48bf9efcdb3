"use strict";
/* The pages work without this script. It adds Airflow's light or dark theme, details of a tick, keys and refreshing. */
(() => {
  const root = document.documentElement;
  const airflow = (() => {
    try {
      return window.parent !== window && window.parent.document ? window.parent : null;
    } catch {
      return null; // the frame of another site
    }
  })();

  // ---- light and dark: Airflow's switch sets a class on its <html> and stores the choice as "theme"
  const theme = () => {
    let chosen = null;
    if (airflow) {
      const names = airflow.document.documentElement.classList;
      chosen = names.contains("dark") ? "dark" : names.contains("light") ? "light" : null;
    }
    if (!chosen) {
      try {
        chosen = localStorage.getItem("theme");
      } catch {
        chosen = null;
      }
    }
    if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
    else delete root.dataset.theme;
  };
  theme();
  if (airflow) new MutationObserver(theme).observe(airflow.document.documentElement, { attributes: true, attributeFilter: ["class"] });
  window.addEventListener("storage", theme);

  // ---- links out of the frame: its sandbox blocks them, so Airflow's own document follows the link
  const leave = (event) => {
    const link = event.target.closest && event.target.closest('a[target="_top"]');
    if (!airflow || !link || event.button > 1) return;
    event.preventDefault();
    const twin = airflow.document.createElement("a");
    twin.href = link.href;
    if (event.button === 1 || event.ctrlKey || event.metaKey || event.shiftKey || new URL(link.href).origin !== location.origin) {
      twin.target = "_blank";
      twin.rel = "noopener";
    }
    airflow.document.body.append(twin);
    twin.click();
    twin.remove();
  };
  document.addEventListener("click", leave);
  document.addEventListener("auxclick", leave);

  // ---- a tick's detail
  const found = new Map();
  let wanted = "";
  const addressOf = (tick) => {
    if (tick.href) return tick.href;
    const row = tick.closest("tr").querySelector("th a");
    return new URL(`${row.href.split("?")[0]}/${tick.dataset.t}`).href;
  };
  const show = async (tick) => {
    const address = `${addressOf(tick)}/brief${location.search}`;
    if (wanted === address) return;
    wanted = address;
    let html = found.get(address);
    if (!html) {
      const reply = await fetch(address, { credentials: "same-origin" }).catch(() => null);
      html = reply && reply.ok ? await reply.text() : null;
      if (html) found.set(address, html);
    }
    const panel = document.getElementById("detail");
    if (wanted !== address || !panel) return;
    if (html) panel.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    else panel.textContent = "This tick cannot be loaded at the moment.";
  };
  let pointing;
  const tickOf = (event) => event.target.closest && event.target.closest(".timeline .k, .timeline i");
  const quieten = () => {
    for (const tick of document.querySelectorAll(".timeline [title]:is(.k, i)")) tick.removeAttribute("title");
  };
  document.addEventListener("pointerover", (event) => {
    const tick = tickOf(event);
    clearTimeout(pointing);
    if (tick) pointing = setTimeout(show, 60, tick);
  });
  document.addEventListener("focusin", (event) => {
    const tick = tickOf(event);
    if (tick) show(tick);
  });
  document.addEventListener("click", (event) => {
    const tick = tickOf(event);
    if (tick && !tick.href) location.href = addressOf(tick);
  });

  // ---- keys: arrows move between ticks inside the timeline, and between days outside it
  const move = (tick, key) => {
    const cells = [...tick.closest("table").rows].map((row) => [...row.querySelectorAll(".k, i")]).filter((row) => row.length);
    const y = cells.findIndex((row) => row.includes(tick));
    const x = cells[y].indexOf(tick);
    const line = cells[y + { ArrowUp: -1, ArrowDown: 1 }[key]] || (key.startsWith("ArrowU") || key === "ArrowDown" ? null : cells[y]);
    if (!line) return;
    const column = tick.closest("td").cellIndex;
    const next = line === cells[y]
      ? line[x + (key === "ArrowLeft" ? -1 : 1)]
      : line.find((other) => other.closest("td").cellIndex >= column) || line[line.length - 1];
    if (!next) return;
    if (!next.href) next.tabIndex = -1;
    next.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !event.key.startsWith("Arrow")) {
      const tick = event.key === "Enter" && tickOf(event);
      if (tick && !tick.href) location.href = addressOf(tick);
      return;
    }
    const tick = tickOf(event);
    if (tick) {
      event.preventDefault();
      move(tick, event.key);
    } else if (!event.target.closest("input, select, textarea, .scroll")) {
      const link = document.getElementById({ ArrowLeft: "before", ArrowRight: "after" }[event.key]);
      if (link) link.click();
    }
  });

  // ---- refreshing in place
  const keyOf = (element) => {
    if (!element || !element.closest("main")) return null;
    // A tick keeps its address when an expected run becomes a SKIP.
    return element.matches(".timeline .k, .timeline i") ? addressOf(element) : element.getAttribute("href") || element.id || null;
  };
  const refresh = async () => {
    if (document.hidden) return;
    const main = document.getElementById("main");
    const reply = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
    const page = reply && reply.ok ? new DOMParser().parseFromString(await reply.text(), "text/html") : null;
    const fresh = page && page.getElementById("main");
    if (!fresh) {
      let stale = document.getElementById("stale");
      if (!stale) {
        stale = Object.assign(document.createElement("p"), { id: "stale", className: "stale" });
        stale.setAttribute("role", "alert");
        main.prepend(stale);
        stale.textContent = `Not refreshed since ${new Date().toLocaleTimeString()}: Airflow does not answer${reply ? ` (HTTP ${reply.status})` : ""}.`;
      }
      return;
    }
    const place = [window.scrollX, window.scrollY];
    const boxes = [...main.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
    const open = new Map([...main.querySelectorAll("details[id]")].map((box) => [box.id, box.open]));
    const focus = keyOf(document.activeElement);
    const form = document.getElementById("when");
    const kept = [document.getElementById("detail"), form && form.contains(document.activeElement) ? form : null];
    main.replaceChildren(...fresh.childNodes);
    document.title = page.title;
    for (const element of kept) {
      const twin = element && document.getElementById(element.id);
      if (twin) twin.replaceWith(element);
    }
    found.clear();
    quieten();
    [...main.querySelectorAll(".scroll")].forEach((box, number) => box.scrollTo(...(boxes[number] || [0, 0])));
    for (const box of main.querySelectorAll("details[id]")) if (open.has(box.id)) box.open = open.get(box.id);
    if (focus) {
      const again = [...main.querySelectorAll("a, i, summary, .scroll, [id]")].find((element) => keyOf(element) === focus);
      if (again) {
        if (again.matches("i")) again.tabIndex = -1;
        again.focus({ preventScroll: true });
      }
    }
    window.scrollTo(...place);
  };

  document.addEventListener("DOMContentLoaded", () => {
    quieten();
    const box = document.getElementById("timeline");
    const now = box && box.querySelector("th.now");
    // Scroll to the current hour, or to the end of the night, which a reader wants in the morning.
    if (now) box.scrollLeft = Math.max(0, now.offsetLeft - box.clientWidth * 0.75);
    else if (box && document.querySelector("#verdict:not(.plan)")) box.scrollLeft = box.scrollWidth;
    // With very many workflows, scroll to one that failed.
    const bad = box && box.querySelector(".failed, .abort, .missing, .unexecuted");
    if (bad) box.scrollTop = Math.max(0, bad.closest("tr").offsetTop - box.clientHeight / 2);
    const seconds = Number(document.body.dataset.refresh);
    if (seconds) {
      setInterval(refresh, seconds * 1000);
      document.addEventListener("visibilitychange", refresh);
    }
  });
})();
