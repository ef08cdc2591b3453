// Offers the treatments that are to be had for the chosen kind. Without this script their words say for which, and asking says it again.
"use strict";
(() => {
  const kind = document.getElementById("kind"), action = document.getElementById("action");
  if (!kind || !action) return;

  function offer() {
    for (const option of action.options) {
      option.hidden = option.disabled = Boolean(option.dataset.kinds) && !option.dataset.kinds.split(" ").includes(kind.value);
    }
    if (action.selectedOptions[0]?.disabled) action.value = action.querySelector("option:not([disabled])").value;
  }

  kind.addEventListener("change", offer);
  offer();
})();
