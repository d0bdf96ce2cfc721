// Sealing to the vault's key, and bringing the ciphertext to the vault: HPKE base mode, X25519, AES-128-GCM.
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "./hpke.js";

const PATIENCE = 20_000; // milliseconds
const utf8 = (text) => new TextEncoder().encode(text);

/** The body of POST /seal. Throws when this browser cannot encrypt or the ticket's key is none. */
export async function sealed(ticket, number, pin) {
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
  const raw = Uint8Array.from(atob(ticket.key.public_key), (c) => c.charCodeAt(0));
  const recipientPublicKey = await suite.kem.deserializePublicKey(raw);
  const plain = utf8(JSON.stringify({ number, pin }));
  const { enc, ct } = await suite.seal({ recipientPublicKey, info: utf8(ticket.info) }, plain);
  plain.fill(0);
  const whole = String.fromCharCode(...new Uint8Array(enc), ...new Uint8Array(ct));
  return { sealed: btoa(whole), key_id: ticket.key.key_id };
}

/** Whether this browser can encrypt: asked once, with a key of its own. */
export async function able() {
  try {
    await new DhkemX25519HkdfSha256().generateKeyPair();
    return true;
  } catch {
    return false;
  }
}

/** One try: { sealed }, { lost } or { busy } (unknown: the same body may be sent again), or { refused, status }. */
export async function send(ticket, body) {
  let answer;
  try {
    answer = await fetch("/seal", {
      method: "POST",
      headers: { Authorization: `Capability ${ticket.capability}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.ok) return { sealed: (await answer.json()).stored === true };
  } catch {
    return { lost: true };
  }
  if (answer.status >= 500) return { busy: true };
  const problem = await answer.json().catch(() => ({}));
  const { code = "vault.failed", zh = "", title = "" } = problem;
  return { refused: { code, zh, en: title }, status: answer.status };
}
