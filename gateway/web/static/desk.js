// Ticks all rows at once. Without this script each is ticked by itself.
"use strict";
(() => {
  const every = document.getElementById("every");
  if (!every) return;
  every.hidden = false;
  every.addEventListener("click", () => {
    const boxes = [...every.form.querySelectorAll("tbody input[type=checkbox]")];
    const all = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !all;
  });
})();
