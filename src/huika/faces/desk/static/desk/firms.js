// The chosen file's name stands where the invitation stood; its own control speaks the browser's language.
"use strict";

document.addEventListener("change", (event) => {
  const input = event.target.closest?.(".drop input[type=file]");
  if (input?.files.length) input.closest(".drop").querySelector("[data-chosen]").textContent = input.files[0].name;
});
