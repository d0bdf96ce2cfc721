// Keeps the courier's pages readable without a net. It answers GETs of pages and static files alone, and sends nothing.
const SHELF = "huika-courier-{{ edition }}";
const SHELL = [{% for path in shell %}"{{ path }}"{% if not forloop.last %}, {% endif %}{% endfor %}];
self.addEventListener("install", (event) => event.waitUntil(caches.open(SHELF).then((shelf) => shelf.addAll(SHELL)).then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name !== SHELF).map((name) => caches.delete(name)))).then(() => self.clients.claim())));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const ours = url.origin === location.origin && (url.pathname.startsWith("/courier/") || url.pathname.startsWith("/static/"));
  if (event.request.method !== "GET" || !ours || url.pathname.endsWith(".json")) return;
  event.respondWith((async () => {
    const shelf = await caches.open(SHELF);
    if (url.pathname.startsWith("/static/")) {
      const known = await shelf.match(event.request);
      if (known) return known;
    }
    try {
      const answer = await fetch(event.request);
      if (answer.ok && !answer.redirected) await shelf.put(event.request, answer.clone());
      return answer;
    } catch (error) {
      const known = await shelf.match(event.request);
      if (known) return known;
      throw error;
    }
  })());
});
