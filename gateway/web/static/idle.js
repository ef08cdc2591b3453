// Says two minutes before a session ends for want of use, on every page of it, and lets its person stay with one key.
"use strict";

const idle = document.getElementById("idle"), over = document.getElementById("idle-over"), left = idle.querySelector(".left");
const SECONDS = Number(idle.dataset.seconds), WARN = Math.min(120, SECONDS / 2), KEY = "sekisho seen";

// All pages of this face in this browser share one session, and so one moment of its last use.
const used = () => localStorage.setItem(KEY, String(Date.now()));
const remaining = () => SECONDS - (Date.now() - Number(localStorage.getItem(KEY))) / 1000;

used();
new PerformanceObserver((list) => {
  if (list.getEntries().some((one) => one.initiatorType === "fetch" || one.initiatorType === "xmlhttprequest")) used();
}).observe({ type: "resource" });

function look() {
  const seconds = Math.ceil(remaining());
  if (seconds <= 0) {
    clearInterval(timer);
    idle.close();
    over.showModal();
  } else if (seconds <= WARN) {
    left.textContent = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
    if (!idle.open) idle.showModal();
  } else if (idle.open) {
    idle.close();
  }
}

async function stay() {
  idle.close();
  const answer = await fetch("/account/stay", { method: "POST", headers: { "X-CSRF-Token": idle.dataset.csrf } });
  if (!answer.ok || answer.redirected) { clearInterval(timer); over.showModal(); } else used();
}

const timer = setInterval(look, 1000);
document.getElementById("idle-stay").addEventListener("click", stay);
idle.addEventListener("cancel", (event) => { event.preventDefault(); stay(); });
over.addEventListener("cancel", (event) => event.preventDefault());
