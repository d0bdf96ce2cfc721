// The courier's pages stay readable without a net where service workers exist; everything works without one, too.
import { send } from "./outbox.js";
if ("serviceWorker" in navigator) {
  const policy = window.trustedTypes?.createPolicy ? trustedTypes.createPolicy("huika-worker", { createScriptURL: () => "/courier/worker.js" }) : null;
  navigator.serviceWorker.register(policy ? policy.createScriptURL("") : "/courier/worker.js", { scope: "/courier/" }).catch(() => {});
}
if (document.querySelector("meta[name=hk-csrf]")) void send();
