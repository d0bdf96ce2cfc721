// Keys of the desk, and the queue at the right that keeps itself up to date. Without it everything works by link.
"use strict";

(function keys() {
  const rows = () => [...document.querySelectorAll("a[data-row]")].filter((row) => row.offsetParent);
  function move(by) {
    const every = rows();
    if (!every.length) return;
    const chosen = every.findIndex((row) => row === document.activeElement);
    const from = chosen >= 0 ? chosen : every.findIndex((row) => row.closest("[aria-current]"));
    const next = every[from < 0 ? 0 : Math.min(every.length - 1, Math.max(0, from + by))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }
  function queue() {
    const folded = document.querySelector(".o-side .fold");
    if (folded && folded.offsetParent) location.hash = location.hash === "#queue" ? "main" : "queue";
    document.querySelector(".o-side .wi")?.focus();
  }
  const does = {
    j: () => move(1),
    k: () => move(-1),
    q: queue,
    "/": () => { const field = document.querySelector("[data-find]"); field?.focus(); field?.select(); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    const typing = event.target.closest?.("input, select, textarea");
    if (event.key === "Escape") { if (typing) typing.blur(); else if (location.hash === "#queue") location.hash = "main"; return; }
    // Enter in the reason would press the first decision; a decision is pressed on purpose.
    if (typing) { if (event.key === "Enter" && typing.name === "reason") event.preventDefault(); return; }
    const act = does[event.key.toLowerCase()];
    if (act) { event.preventDefault(); act(); }
  });
})();

(function side() {
  const place = document.getElementById("queue");
  if (!place) return;
  let version = place.dataset.version;
  const ours = (event) => event.target === place;
  document.addEventListener("htmx:configRequest", (event) => { if (ours(event) && version) event.detail.headers["If-None-Match"] = version; });
  document.addEventListener("htmx:beforeRequest", (event) => { if (ours(event) && document.hidden) event.preventDefault(); });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!ours(event)) return;
    const { xhr } = event.detail;
    if (new URL(xhr.responseURL || location.href).pathname !== "/desk/queue") { event.detail.shouldSwap = false; location.reload(); return; }
    if (xhr.status !== 200) event.detail.shouldSwap = false;
    else version = xhr.getResponseHeader("ETag") || "";
  });
})();
