// Upload with progress, then reload the list while something is still on its way. Without this script the form works by itself.
"use strict";
const form = document.getElementById("drop"), bar = document.getElementById("progress"), said = document.getElementById("said");
const files = document.getElementById("files");
function send() {
  const request = new XMLHttpRequest();
  bar.hidden = false;
  said.textContent = "送信しています… / Sending…";
  request.upload.onprogress = (event) => { if (event.lengthComputable) bar.value = 100 * event.loaded / event.total; };
  request.onload = () => { if (request.status < 400) location.reload(); else said.textContent = "受け付けられませんでした / Not accepted (" + request.status + ")"; };
  request.onerror = () => { said.textContent = "通信できませんでした。もう一度お試しください。 / No connection, please try again."; };
  request.open("POST", "/");
  request.setRequestHeader("X-CSRF-Token", form.elements.csrf.value);
  request.send(new FormData(form));
}
form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
form.addEventListener("dragleave", () => form.classList.remove("over"));
form.addEventListener("drop", (event) => { event.preventDefault(); form.classList.remove("over"); files.files = event.dataTransfer.files; send(); });
if (document.querySelector("td.wait")) setTimeout(() => location.reload(), 1500);
