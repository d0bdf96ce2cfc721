// Passkeys. A form marked data-passkey asks the browser for one before it is sent: "create" for a new one, "get" to
// use one. What is asked stands in data-options, or is fetched from data-from when the button is pressed.
"use strict";
(function passkeys() {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const ids = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  function asked(options) {
    const key = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
    if (key.user) key.user = { ...key.user, id: bytes(key.user.id) };
    if (key.excludeCredentials) key.excludeCredentials = ids(key.excludeCredentials);
    if (key.allowCredentials) key.allowCredentials = ids(key.allowCredentials);
    return { publicKey: key };
  }

  function plain(credential) {
    const answer = credential.response, response = { clientDataJSON: text(answer.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"])
      if (answer[part]) response[part] = text(answer[part]);
    if (answer.getTransports) response.transports = answer.getTransports();
    return {
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
      authenticatorAttachment: credential.authenticatorAttachment, clientExtensionResults: credential.getClientExtensionResults(),
    };
  }

  async function options(form) {
    if (!form.dataset.from) return JSON.parse(form.dataset.options);
    const answer = await fetch(form.dataset.from, { method: "POST", headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value } });
    if (answer.status === 429) throw new DOMException("too often", "TooOften");
    if (!answer.ok) throw new TypeError("no answer");
    return answer.json();
  }

  function say(form, words) {
    const note = form.querySelector("[data-note]");
    note.querySelector("span").textContent = words;
    note.hidden = !words;
  }

  function release(form) {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  }

  const why = { NotAllowedError: "cancelled", InvalidStateError: "known", TooOften: "often", SecurityError: "nowhere", NotSupportedError: "nowhere" };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.passkey || event.defaultPrevented) return;
    event.preventDefault();
    say(form, "");
    try {
      const kind = form.dataset.passkey === "create" ? "create" : "get";
      const credential = await navigator.credentials[kind](asked(await options(form)));
      form.elements.credential.value = JSON.stringify(plain(credential));
      form.submit();
    } catch (error) {
      release(form);
      say(form, form.dataset[why[error.name] || "gone"]);
    }
  });

  if (!window.PublicKeyCredential) document.querySelectorAll("form[data-passkey]").forEach((form) => {
    form.querySelector("[type=submit]").disabled = true;
    say(form, form.dataset.nowhere);
  });
})();
