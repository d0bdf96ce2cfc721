// What every phone page needs: Trusted Types for htmx, what was typed survives, a double tap sends once.
"use strict";

// htmx puts fragments of our own server into the page as HTML. They pass through here: parsed where nothing runs,
// stripped of everything that could run, and only then handed on.
(function trust() {
  if (!window.trustedTypes || !trustedTypes.createPolicy) return;
  const raw = trustedTypes.createPolicy("huika", { createHTML: (text) => text });
  const harmless = (text) => {
    const inert = document.implementation.createHTMLDocument("").createElement("template");
    inert.innerHTML = raw.createHTML(text);
    for (const node of inert.content.querySelectorAll("*")) {
      if (/^(script|iframe|object|embed|base|meta|link|style)$/i.test(node.localName)) { node.remove(); continue; }
      for (const { name, value } of [...node.attributes])
        if (/^on/i.test(name) || /^\s*(javascript|data|vbscript):/i.test(value) && /^(href|action|formaction|src|xlink:href)$/i.test(name)) node.removeAttribute(name);
    }
    return inert.innerHTML;
  };
  trustedTypes.createPolicy("default", {
    createHTML: harmless,
    createScriptURL: (url) => { if (new URL(url, location.href).origin === location.origin) return url; throw new TypeError("script from elsewhere"); },
  });
})();

// Kept until the step is done: every field of a form marked data-keep, in this tab alone. Codes and identity numbers are not.
(function keep() {
  const place = (form) => `hk:${form.dataset.keep}`;
  const fields = (form) => [...form.elements].filter((f) => f.name && !f.dataset.secret && !/^(hidden|password|file|submit)$/.test(f.type));
  const read = (form) => { try { return JSON.parse(sessionStorage.getItem(place(form)) || "{}"); } catch { return {}; } };
  function restore(form) {
    const kept = read(form);
    for (const field of fields(form)) {
      if (!(field.name in kept)) continue;
      if (field.type === "radio" || field.type === "checkbox") { if (form.dataset.fresh === undefined) field.checked = kept[field.name].includes(field.value); }
      else if (!field.value) field.value = kept[field.name][0] ?? "";
    }
  }
  function save(form) {
    const kept = {};
    for (const field of fields(form)) {
      if ((field.type === "radio" || field.type === "checkbox") && !field.checked) { kept[field.name] ||= []; continue; }
      (kept[field.name] ||= []).push(field.value);
    }
    try { sessionStorage.setItem(place(form), JSON.stringify(kept)); } catch { /* private mode: the server's copy remains */ }
  }
  document.querySelectorAll("form[data-keep]").forEach(restore);
  document.addEventListener("input", (event) => { const form = event.target.closest?.("form[data-keep]"); if (form) save(form); });
})();

// A button that was tapped waits for its answer; leaving for the next page is told at once, a failure gives it back.
(function once() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[hx-get],[hx-post]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (!navigator.onLine && form.method === "post") { event.preventDefault(); gone(); return; }
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 8000);
    (event.submitter || form.querySelector("[type=submit]"))?.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  }));
})();

function gone() {
  let note = document.getElementById("hk-gone");
  if (!note) {
    note = document.createElement("p");
    note.id = "hk-gone";
    note.className = "hk-note hk-note_warn";
    note.setAttribute("role", "alert");
    document.querySelector("main").prepend(note);
  }
  note.textContent = document.body.dataset.gone;
  note.scrollIntoView({ block: "nearest" });
}
function back() { document.getElementById("hk-gone")?.remove(); }
document.addEventListener("htmx:sendError", gone);
document.addEventListener("htmx:timeout", gone);
document.addEventListener("htmx:afterOnLoad", back);
window.addEventListener("online", back);

// An answer that refuses still shows its note.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400 && event.detail.xhr.getResponseHeader("Content-Type")?.startsWith("text/html")) event.detail.shouldSwap = true;
});

// Chips for one code field: drawn cells follow the one real input, which sends itself when it is full.
document.addEventListener("input", (event) => {
  const box = event.target.closest?.(".hk-codebox");
  if (!box) return;
  const digits = event.target.value.replace(/\D/g, "").slice(0, 6);
  if (digits !== event.target.value) event.target.value = digits;
  box.querySelectorAll(".hk-cells i").forEach((cell, n) => { cell.textContent = digits[n] || ""; cell.classList.toggle("on", n === digits.length); });
  box.querySelector(".hk-cells")?.classList.remove("hk-cells_bad");
  const form = event.target.form, button = form?.querySelector("[data-left]");
  if (button) {
    button.disabled = digits.length < 6;
    button.textContent = digits.length < 6 ? button.dataset.left.replace("{n}", 6 - digits.length) : button.dataset.go;
  }
});

// A stepper: minus, plus, between its bounds.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-step]");
  if (!button) return;
  const field = button.closest(".hk-stepper").querySelector("input");
  const next = Math.min(Number(field.max), Math.max(Number(field.min), Number(field.value) + Number(button.dataset.step)));
  if (next === Number(field.value)) return;
  field.value = next;
  button.closest(".hk-stepper").querySelector("output").textContent = next;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
});
