// Keeps the overview up to date. Without this script the page is as it was when it was asked for.
"use strict";
(() => {
  const live = document.getElementById("live"), fresh = document.getElementById("fresh"), alert = document.getElementById("alert");
  const source = new EventSource(live.dataset.stream);
  let said = null;
  source.addEventListener("overview", (event) => {
    const told = JSON.parse(event.data);
    // Who stands on a link with the keyboard does not lose it under his fingers.
    if (!live.contains(document.activeElement)) live.innerHTML = told.html;
    fresh.textContent = fresh.dataset.said + new Date().toLocaleTimeString("ja-JP");
    // Read aloud only when something else is wrong than before.
    if (said !== null && told.alert !== said) alert.textContent = told.alert;
    said = told.alert;
  });
  const stop = () => { source.close(); fresh.textContent = fresh.dataset.stopped; };
  source.addEventListener("end", stop);
  source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) stop(); });
})();
