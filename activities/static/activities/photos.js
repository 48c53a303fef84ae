"use strict";
// Photos are made small on the phone and sent one by one as soon as they are chosen, each under a key of its own, so
// that sending again adds nothing. The form itself then goes without them. The form in the page may be replaced at any
// time by other scripts: it is looked up anew whenever it is needed.
(() => {
  const SIDE = 1600, ENOUGH = 250000, LARGEST = 10 << 20, WAITS = [1000, 4000, 10000];
  const items = []; // not yet sent: {key, formKey, name, file, row, tries, state: "waiting" | "failed" | "refused"}
  let active = null, held = null, warned = false;

  const box = () => document.querySelector("[data-evidence]");
  const form = () => box().closest("form");
  const part = (row, name) => row.querySelector(`[data-${name}]`);
  const say = (text) => { if (box()) part(box(), "evidence-said").textContent = text; };
  const here = () => items.filter((one) => one.formKey === form().elements.form_key.value);
  const changed = () => document.dispatchEvent(new CustomEvent("evidence:changed"));
  const pause = (time) => new Promise((done) => setTimeout(done, time));

  function uuid() {
    if (crypto.randomUUID) return crypto.randomUUID(); // only where the page came by https
    return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) =>
      (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));
  }

  async function smaller(file) {
    if (!file.type.startsWith("image/")) return file;
    try {
      const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
      const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(picture.width * scale));
      canvas.height = Math.max(1, Math.round(picture.height * scale));
      const pen = canvas.getContext("2d");
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.imageSmoothingQuality = "high";
      pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
      picture.close();
      const jpeg = (quality) => new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
      let blob = await jpeg(0.7);
      if (blob.size > ENOUGH) blob = await jpeg(0.5);
      return blob;
    } catch {
      return file; // the server knows what is wrong with it
    }
  }

  // The parsed answer and its status; status 0: no network.
  function post(address, data, progress) {
    return new Promise((done) => {
      const xhr = new XMLHttpRequest();
      xhr.open("POST", address);
      xhr.responseType = "json";
      xhr.timeout = 120000;
      xhr.setRequestHeader("Accept", "application/json");
      xhr.setRequestHeader("X-CSRFToken", form().elements.csrfmiddlewaretoken.value);
      if (progress) xhr.upload.onprogress = (event) => progress(Math.round((100 * event.loaded) / event.total));
      xhr.onloadend = () => done({ status: xhr.status, said: xhr.response });
      xhr.send(data);
    });
  }

  // Whether keep.js has got a fresh token: somebody signed in again in another tab.
  function renewed() {
    const asked = { answer: false };
    document.dispatchEvent(new CustomEvent("keep:renew", { detail: asked }));
    return asked.answer;
  }

  function show(item) {
    if (!item.row) {
      item.row = box().querySelector("template").content.firstElementChild.cloneNode(true);
      item.row.dataset.key = item.key;
      for (const one of item.row.querySelectorAll("[data-name]")) one.textContent = ` ${item.name}`;
      item.row.querySelector(".evidence-kind").textContent = item.name.split(".").pop().slice(0, 5);
    }
    if (!item.row.isConnected) part(box(), "evidence-list").append(item.row);
  }
  function state(item, text) {
    part(item.row, "state").textContent = text;
    part(item.row, "again").hidden = item.state !== "failed";
  }
  function leave(item, name, text) {
    item.state = name;
    state(item, text);
    say(`${item.name}: ${text}`);
  }

  function sent(item, said) {
    items.splice(items.indexOf(item), 1);
    const link = item.row.querySelector("a");
    link.href = said.url;
    if (said.thumbnail) {
      const picture = new Image(96, 96);
      picture.alt = "";
      picture.src = said.thumbnail;
      link.firstElementChild.replaceWith(picture);
    }
    state(item, `${Math.max(1, Math.round(said.size / 1024))} KB ✓`);
    say(`Đã gửi ${item.name}.`);
    changed();
  }

  async function send(item) {
    state(item, "đang thu nhỏ…");
    if (!item.tries) item.file = await smaller(item.file);
    if (item.file.size > LARGEST) return leave(item, "refused", "Tệp lớn hơn 10 MB: thu nhỏ rồi chọn lại.");
    for (const wait of [0, ...WAITS]) {
      if (wait) await pause(wait);
      if (!items.includes(item)) return; // removed meanwhile
      const data = new FormData();
      data.append("form_key", item.formKey);
      data.append("key", item.key);
      data.append("file", item.file, item.name);
      const once = () => post(box().dataset.url, data, (done) => state(item, `${done}%`));
      let { status, said } = await once();
      if (status === 403 && await renewed()) ({ status, said } = await once());
      item.tries += 1;
      if (status === 200 && said) return sent(item, said);
      if (status === 422 && said) return leave(item, "refused", said.error);
      if (status === 413) return leave(item, "refused", "Tệp quá lớn: thu nhỏ rồi chọn lại.");
      if (status === 200 || status === 403) return leave(item, "failed", "Phiên đã hết hạn: đăng nhập lại rồi bấm “Thử lại”.");
      state(item, "đang chờ mạng…");
    }
    leave(item, "failed", "Chưa gửi được: kiểm tra mạng rồi bấm “Thử lại”.");
  }

  async function pump() {
    if (active) return;
    while ((active = items.find((one) => one.state === "waiting"))) await send(active);
    const button = held;
    held = null;
    if (button && !here().length) form().requestSubmit(form().querySelector(`[name=luu][value=${button}]`));
  }

  function again(item) {
    item.state = "waiting";
    warned = false;
    pump();
  }

  async function remove(row) {
    const { key } = row.dataset, item = items.find((one) => one.key === key);
    if (item) items.splice(items.indexOf(item), 1);
    if (!item || item.tries) {
      const { status, said } = await post(`${box().dataset.url}${key}/xoa/`);
      if (!item && status !== 200 && status !== 404) return say((said && said.error) || "Chưa bỏ được tệp: thử lại.");
    }
    document.querySelector(`[data-evidence-list] [data-key="${key}"]`)?.remove();
    say("Đã bỏ tệp.");
    document.getElementById("tep").focus();
    changed();
  }

  document.addEventListener("change", (event) => {
    if (event.target.name !== "tep" || !box()) return;
    for (const file of event.target.files) {
      const item = { key: uuid(), formKey: form().elements.form_key.value, name: file.name, file, tries: 0, state: "waiting" };
      items.push(item);
      show(item);
      state(item, "chờ gửi…");
    }
    event.target.value = "";
    warned = false;
    changed();
    pump();
  });

  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-evidence-list] > li");
    if (!row) return;
    if (event.target.closest("[data-again]")) again(items.find((one) => one.key === row.dataset.key));
    if (event.target.closest("[name=bo-minh-chung]")) { event.preventDefault(); remove(row); }
  });

  // The form waits for its files; what cannot be sent is said once, then the form may go without it. On the window:
  // before any other script takes the form.
  addEventListener("submit", (event) => {
    const pressed = event.submitter;
    if (!box() || event.target !== form() || !pressed || pressed.name !== "luu" || !["gui", "nhap"].includes(pressed.value)) return;
    const left = here(), moving = left.some((one) => one.state === "waiting" && !one.tries);
    if (!moving && (!left.length || warned)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held = moving ? pressed.value : null;
    warned = !moving;
    say(moving ? "Đang gửi tệp: biểu mẫu tự gửi khi gửi xong."
      : `${left.length} tệp chưa gửi được. Bấm “Thử lại”, hoặc bấm gửi lần nữa để gửi không kèm tệp đó.`);
    part(box(), "evidence-said").scrollIntoView({ block: "center" });
  }, true);

  addEventListener("online", () => items.filter((one) => one.state === "failed").forEach(again));
  function live() {
    if (!box()) return;
    box().classList.add("is-live");
    here().forEach(show);
  }
  document.addEventListener("htmx:afterSwap", live);
  live();
})();
