// Asks, a moment after the last key, whether what was typed could be put in force. Without this script that is said when it is sent.
"use strict";
(() => {
  const form = document.getElementById("typed"), out = document.getElementById("checked");
  if (!form) return;
  let timer = 0, asking = false, again = false;

  async function ask() {
    // One question at a time: a set of rules takes the compiler a second or two.
    if (asking) { again = true; return; }
    asking = true;
    again = false;
    out.className = "";
    out.textContent = form.dataset.asking;
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (!answer.ok) throw new Error(String(answer.status));
      const told = await answer.json();
      out.className = told.good ? "ok" : "stop";
      out.textContent = told.said;
    } catch {
      out.textContent = form.dataset.silent;
    }
    asking = false;
    if (again) ask();
  }

  for (const field of [form.elements.text, form.elements.name]) {
    field?.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 700);
    });
  }
})();
