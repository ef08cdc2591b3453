// Bringing files in: drag and drop of files and folders, paste, many at once; each upload goes on after a cut (tus 1.0.0); what happens to
// each file is shown as it happens. Without this script the form works by itself.
"use strict";

const PIECE = 8 * 1024 * 1024, TRIES = 40, AT_ONCE = 3, API = "/api/v1/";
const form = document.getElementById("drop"), chosen = document.getElementById("files"), list = document.querySelector("#results tbody");
const said = document.getElementById("said"), template = document.getElementById("row");
const csrf = { "X-CSRF-Token": form.elements.csrf.value }, tus = { ...csrf, "Tus-Resumable": "1.0.0" };
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const WORDS = JSON.parse(document.getElementById("words").textContent);

// ---------------------------------------------------------------------------------------------------------------- upload

// What was said of it belongs to it: the same file bound for elsewhere is another upload.
const key = (file) => `upload ${file.name} ${file.size} ${file.lastModified} ${JSON.stringify(file.said)}`;
const encoded = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

async function begin(file) {
  const known = localStorage.getItem(key(file));
  if (known) {
    const told = await fetch(known, { method: "HEAD", headers: tus });
    if (told.ok) return { where: known, offset: Number(told.headers.get("Upload-Offset")), receipt: told.headers.get("Sekisho-Receipt-No") };
  }
  const metadata = Object.entries({ filename: file.name, ...file.said }).filter(([, value]) => value).map(([name, value]) => name + " " + encoded(value));
  const headers = { ...tus, "Upload-Length": String(file.size), "Upload-Metadata": metadata.join(",") };
  const begun = await fetch(API + "uploads", { method: "POST", headers });
  if (!begun.ok) throw new Refused(begun.status);
  const where = begun.headers.get("Location");
  if (file.size) localStorage.setItem(key(file), where);
  return { where, offset: 0, receipt: begun.headers.get("Sekisho-Receipt-No") };
}

class Refused extends Error {
  constructor(status) { super(String(status)); this.status = status; }
}

function patch(where, piece, offset, progress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => progress(offset + event.loaded);
    request.onload = () => done(request);
    request.onerror = request.ontimeout = () => failed(new Error("cut"));
    request.open("PATCH", where);
    const headers = { ...tus, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
    for (const name in headers) request.setRequestHeader(name, headers[name]);
    request.send(piece);
  });
}

async function upload(file, progress) {
  let state = null, tries = 0;
  for (;;) {
    try {
      state = state || await begin(file);
      if (state.receipt) { localStorage.removeItem(key(file)); return state.receipt; }
      const answer = await patch(state.where, file.slice(state.offset, state.offset + PIECE), state.offset, progress);
      if (answer.status === 404 || answer.status === 409) { state = null; throw new Error("again"); }
      if (answer.status >= 500) throw new Error("later");
      if (answer.status >= 400) throw new Refused(answer.status);
      state.offset = Number(answer.getResponseHeader("Upload-Offset"));
      state.receipt = answer.getResponseHeader("Sekisho-Receipt-No");
      tries = 0;
    } catch (error) {
      if (error instanceof Refused) localStorage.removeItem(key(file));
      // Minutes without a line; what has come stays, and the same file dropped again goes on from there.
      if (error instanceof Refused || ++tries > TRIES) throw error;
      state = null;
      await pause(Math.min(10000, 300 * 2 ** tries));
    }
  }
}

// ------------------------------------------------------------------------------------------------------------------ rows

function newRow(name) {
  const row = template.content.firstElementChild.cloneNode(true);
  row.querySelector(".name").textContent = name;
  row.lastElementChild.textContent = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  list.prepend(row);
  return row;
}

function say(row, words, tone) {
  const cell = row.querySelector(".said");
  cell.textContent = words;
  cell.className = "said " + tone;
}

// 受付 → 検査 → 無害化 → 承認 → 受取可: what is behind it, and where it stands.
function step(row, at) {
  const bar = row.querySelector(".steps");
  bar.hidden = at === 0 || at === bar.children.length;
  [...bar.children].forEach((one, place) => {
    one.className = place + 1 < at ? "done" : "";
    if (place + 1 === at) one.setAttribute("aria-current", "step"); else one.removeAttribute("aria-current");
  });
}

function watch(row, receipt) {
  const link = document.createElement("a");
  link.href = "/transfers/" + receipt;
  link.textContent = receipt;
  row.querySelector(".receipt").replaceChildren(link);
  const stream = new EventSource(API + "transfers/" + receipt + "/events");
  stream.addEventListener("part", (event) => {
    const part = JSON.parse(event.data);
    step(row, 3);
    say(row, WORDS.at_work + part.name, "wait");
  });
  stream.addEventListener("state", (event) => {
    const told = JSON.parse(event.data);
    say(row, told.said, told.tone);
    step(row, told.step);
    if (told.tone !== "wait") { stream.close(); row.querySelector("progress").hidden = true; }
  });
}

async function bring(file) {
  const row = newRow(file.name), bar = row.querySelector("progress");
  bar.hidden = false;
  say(row, WORDS.sending, "wait");
  try {
    const receipt = await upload(file, (sent) => { bar.value = file.size ? sent / file.size : 1; });
    bar.removeAttribute("value");
    watch(row, receipt);
  } catch (error) {
    bar.hidden = true;
    say(row, error instanceof Refused && error.status === 413 ? WORDS.too_large : error.status === 422 ? WORDS.unsaid : WORDS.failed, "stop");
  }
}

// What was said in the form goes with every file of this time.
function slip() {
  const words = Object.fromEntries(["purpose", "classification", "reason"].map((name) => [name, form.elements[name] ? form.elements[name].value : ""]));
  const persons = form.elements.persons.value.split(/[\s,、，]+/).filter(Boolean).map((one) => "person:" + one);
  return { ...words, to: [form.elements.to.value, ...persons].filter(Boolean).join(",") };
}

async function bringAll(files) {
  const waiting = [...files], words = slip();
  for (const file of waiting) file.said = { ...words, folder: (file.folder || "") };
  said.textContent = waiting.length + WORDS.files;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => { while (waiting.length) await bring(waiting.shift()); }));
  said.textContent = WORDS.sent;
}

// --------------------------------------------------------------------------------------------------------------- sources

async function filesOf(entry) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    file.folder = entry.fullPath.split("/").slice(1, -1).join("/");
    return [file];
  }
  const reader = entry.createReader(), found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) break;
    for (const inner of some) found.push(...await filesOf(inner));
  }
  return found;
}

const clear = () => { chosen.value = ""; };
form.addEventListener("submit", (event) => { event.preventDefault(); bringAll(chosen.files); clear(); });
chosen.addEventListener("change", () => { if (chosen.files.length && form.reportValidity()) { bringAll(chosen.files); clear(); } });
form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
form.addEventListener("dragleave", () => form.classList.remove("over"));
form.addEventListener("drop", async (event) => {
  event.preventDefault();
  form.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
  const loose = [...event.dataTransfer.files];
  if (![...form.elements].every((field) => field === chosen || field.reportValidity())) return;
  bringAll(entries.length ? (await Promise.all(entries.map(filesOf))).flat() : loose);
});
document.addEventListener("paste", (event) => { if (event.clipboardData.files.length) bringAll(event.clipboardData.files); });
document.querySelector("#drop button").hidden = true;
for (const row of list.querySelectorAll("tr[data-receipt]")) if (row.querySelector(".said.wait")) watch(row, row.dataset.receipt);
