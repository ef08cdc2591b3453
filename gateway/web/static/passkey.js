// Asks the browser for a passkey, to make one or to show one, and hands what it answers to the page's own address.
"use strict";

const form = document.getElementById("passkey");
const told = document.getElementById("passkey-error");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  told.hidden = true;
  try {
    const options = await asked(form.dataset.options, "");
    const title = form.elements.title ? form.elements.title.value : "";
    const credential = form.dataset.mode === "create"
      ? await navigator.credentials.create({ publicKey: creation(options) })
      : await navigator.credentials.get({ publicKey: request(options) });
    const answer = form.dataset.answer + (title ? "?title=" + encodeURIComponent(title) : "");
    location.assign((await asked(answer, JSON.stringify(written(credential)))).next);
  } catch (error) {
    told.textContent = error.said || "パスキーを使えませんでした。 / the passkey could not be used";
    told.hidden = false;
  }
});

async function asked(address, body) {
  const response = await fetch(address, {
    method: "POST", body, headers: { "Content-Type": "application/json", "X-CSRF-Token": form.dataset.csrf },
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error("refused"), { said: answer.detail || answer.title });
  return answer;
}

function creation(options) {
  const named = (one) => ({ ...one, id: octets(one.id) });
  return {
    ...options, challenge: octets(options.challenge), user: { ...options.user, id: octets(options.user.id) },
    excludeCredentials: (options.excludeCredentials || []).map(named),
  };
}

function request(options) {
  return {
    ...options, challenge: octets(options.challenge),
    allowCredentials: (options.allowCredentials || []).map((one) => ({ ...one, id: octets(one.id) })),
  };
}

function written(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response };
}

function octets(base64url) {
  const letters = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const letters = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
