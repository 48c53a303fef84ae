"use strict";
// The review queue: keys, and on a laptop the record beside the list without loading the page. Improvements only.
(() => {
const PAUSE = 250; // ms that a record stands there before a key decides it: the second press of a double one does nothing
const wide = matchMedia("(min-width: 992px)");
const find = (what) => document.querySelector(what);
const links = () => [...document.querySelectorAll("a[data-item]")];
const current = () => find("a[data-item][aria-current]");
const shown = () => find("[data-shown]")?.dataset.shown;
const LOOKED = 2000, AGAIN = 60000; // ms after which others are told that this record is open, and told again
const BESIDE = 400; // ms after which more is asked for about a record that is still shown
let asking = 0, since = 0, ticked = [], looking, feeding;

function say(words, kind = "error") {
  const banner = document.createElement("div");
  banner.className = `banner banner-${kind}`;
  banner.textContent = words;
  find("#da-noi").replaceChildren(banner);
}

function mark(link) {
  for (const one of links()) one.removeAttribute("aria-current");
  link?.setAttribute("aria-current", "true");
}

const linkOf = (pk) => links().find((one) => one.href.endsWith(`hd=${pk}`));

function open(link) {
  mark(link);
  link.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", link.href);
  htmx.ajax("GET", link.dataset.item, { source: "#chi-tiet", target: "#chi-tiet", swap: "innerHTML" });
}

function move(by) {
  const all = links(), next = all[all.indexOf(current()) + by];
  if (next && wide.matches) open(next);
  else if (next) next.click();
  else find(`.pager [rel=${by > 0 ? "next" : "prev"}]`)?.click();
}

// Only what is on the screen, and has been for a moment, is decided.
const isSeen = () => !asking && performance.now() - since > PAUSE && (!current() || current() === linkOf(shown()));

function approve() {
  if (isSeen()) find("[data-approve]")?.requestSubmit();
}

async function giveBack() {
  const link = find("[data-return]");
  if (!link || asking) return;
  await htmx.ajax("GET", link.href, { source: "#tra-lai", target: "#tra-lai", swap: "innerHTML", select: "main form" });
  const form = find("#tra-lai form");
  if (!form) return;
  form.action = link.href;
  form.querySelector("input:not([type=hidden]), textarea")?.focus();
  form.scrollIntoView({ block: "nearest" });
}

function leaveForm() {
  find("#tra-lai").replaceChildren();
  find("[data-return]").focus();
}

function undo() {
  if (asking) return;
  const form = find("[data-undo]");
  if (form) form.requestSubmit();
  else find("[data-recent]").click();
}

const help = () => find("#phim-tat").showModal();
const KEYS = { j: () => move(1), k: () => move(-1), a: approve, t: giveBack, z: undo, "?": help };

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest("#tra-lai")) return leaveForm();
  const act = KEYS[event.key.toLowerCase()];
  if (!act || !find("#hang-cho[data-keys]") || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.closest("dialog, select, textarea, [contenteditable], input:not([name=chon])")) return;
  if (find("dialog[open]")) return;
  event.preventDefault();
  if (!event.repeat || "jk".includes(event.key.toLowerCase())) act();
});

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (event.target.closest("[data-keys-help]")) return help();
  const link = event.target.closest("a[data-item], a[data-return], #tra-lai .form-actions a");
  if (!link || !wide.matches) return;
  event.preventDefault();
  if (link.closest("#tra-lai")) leaveForm();
  else if (link.dataset.item) open(link);
  else giveBack();
});

// “Duyệt 3 mục đã chọn”
function count() {
  const number = document.querySelectorAll("input[name=chon]:checked").length;
  for (const button of document.querySelectorAll("[data-many]")) {
    button.textContent = `${button.dataset.many} ${number ? `${number} mục` : "mục đã chọn"}`;
  }
}
document.addEventListener("change", (event) => { if (event.target.form?.matches(".review-list")) setTimeout(count); });

// “… đang xem” for the other reviewers; lost without a word when it does not go through.
function tell() {
  const record = find("[data-look]");
  if (record?.getClientRects().length && document.visibilityState === "visible") {
    const token = find("[name=csrfmiddlewaretoken]").value;
    fetch(record.dataset.look, { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => {});
  }
  looking = setTimeout(tell, AGAIN);
}
function feed() {
  const beside = find("[data-beside]");
  if (beside?.getClientRects().length) htmx.trigger(beside, "shown");
}
function watch() {
  clearTimeout(looking);
  clearTimeout(feeding);
  looking = setTimeout(tell, LOOKED);
  feeding = setTimeout(feed, BESIDE);
}
watch();
document.addEventListener("visibilitychange", watch);

// What is loaded beside a record decides nothing, so that no key waits for it and nobody misses it.
const isBeside = (event) => event.detail.elt.matches("[data-beside]");
document.addEventListener("htmx:beforeRequest", (event) => { if (!isBeside(event)) asking += 1; });
document.addEventListener("htmx:afterRequest", (event) => { if (!isBeside(event)) asking -= 1; });
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target.id === "hang-cho") ticked = [...document.querySelectorAll("input[name=chon]:checked")].map((one) => one.value);
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "hang-cho" && event.target.id !== "chi-tiet") return;
  since = performance.now();
  watch();
  if (event.target.id === "chi-tiet") return find(".review-item").scrollTo(0, 0);
  for (const box of document.querySelectorAll("input[name=chon]")) box.checked = ticked.includes(box.value);
  count();
  current()?.scrollIntoView({ block: "nearest" });
  if (!wide.matches) scrollTo(0, 0);
  const waiting = find("[data-waiting]").dataset.waiting;
  for (const badge of document.querySelectorAll(`a[href="${location.pathname}"] .badge-count`)) {
    badge.firstChild.textContent = waiting;
    badge.hidden = waiting === "0";
  }
});

// Nothing was decided as far as we know: the record stays on the screen.
function complain(event) {
  if (isBeside(event)) return;
  const status = event.detail.xhr?.status;
  if (status === 401) return say("Phiên đã hết hạn. Tải lại trang để đăng nhập, rồi duyệt tiếp.");
  say(status ? "Chưa làm được. Tải lại trang rồi thử lại." : "Chưa gửi được. Kiểm tra mạng rồi bấm lại; không có gì bị bỏ qua.");
  mark(linkOf(shown()));
}
document.addEventListener("htmx:responseError", complain);
document.addEventListener("htmx:sendError", complain);
})();
