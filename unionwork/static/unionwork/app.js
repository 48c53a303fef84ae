"use strict";
// Improvements only: every page works without this file.

// One press sends once. The server refuses doubles too; this spares people the question.
// A submitter's own name and value must still be sent, so it is disabled after the form data is gathered.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sending) return event.preventDefault();
  form.dataset.sending = "1";
  const button = event.submitter;
  setTimeout(() => {
    for (const one of senders(form)) one.disabled = true;
    if (!button || form.hasAttribute("data-download")) return;
    button.dataset.label = button.textContent;
    button.textContent = "Đang gửi…";
  });
  if (form.hasAttribute("data-download")) setTimeout(() => release(form), 3000);
});

const senders = (form) => [...form.elements].filter((one) => one.type === "submit");

function release(form) {
  delete form.dataset.sending;
  for (const one of senders(form)) {
    one.disabled = false;
    if (one.dataset.label) one.textContent = one.dataset.label;
  }
}
// The back button may bring the sent page back as it was left.
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sending]").forEach(release));

// A page that answered a form stands for its address: going back to it asks for it anew, never for sending again.
if ("answer" in document.body.dataset) history.replaceState(history.state, "", location.href);

// <input type="checkbox" data-select-all="name of the boxes">
document.addEventListener("change", (event) => {
  const name = event.target.dataset.selectAll;
  if (!name) return;
  for (const box of event.target.form.elements) {
    if (box.type === "checkbox" && box.name === name) box.checked = event.target.checked;
  }
});

// <button data-copy="the text, or #id of the element that holds it">, <button data-show-password="id of the field">,
// <button data-fill="id of the field" data-text="what it then holds">
document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const wanted = copy.dataset.copy;
    await navigator.clipboard.writeText(wanted[0] === "#" ? document.querySelector(wanted).textContent.trim() : wanted);
    const label = copy.textContent;
    copy.textContent = "Đã chép";
    setTimeout(() => { copy.textContent = label; }, 2000);
  }
  const fill = event.target.closest("[data-fill]");
  if (fill) { event.preventDefault(); put(fill.dataset.fill, fill.dataset.text); }
  const pick = event.target.closest("[data-pick-day]");
  if (pick) pickDay(pick);
  const show = event.target.closest("[data-show-password]");
  if (show) {
    const field = document.getElementById(show.dataset.showPassword);
    const hidden = field.type === "password";
    field.type = hidden ? "text" : "password";
    show.textContent = hidden ? "Ẩn mật khẩu" : "Hiện mật khẩu";
    show.setAttribute("aria-pressed", String(hidden));
  }
});

function put(id, text) {
  const field = document.getElementById(id);
  field.value = text;
  for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
}

// <button data-pick-day="id of a text field" data-latest="yyyy-mm-dd">: the device's own calendar.
function pickDay(button) {
  const id = button.dataset.pickDay, field = document.getElementById(id);
  const [, day, month, year] = field.value.match(/^([0-9]{1,2})\/([0-9]{1,2})\/([0-9]{4})$/) || [];
  let calendar = button.nextElementSibling;
  if (!calendar) {
    calendar = document.createElement("input");
    Object.assign(calendar, { type: "date", className: "visually-hidden", tabIndex: -1, max: button.dataset.latest });
    calendar.setAttribute("aria-hidden", "true");
    calendar.addEventListener("change", () => calendar.value && put(id, calendar.value.split("-").reverse().join("/")));
    button.after(calendar);
  }
  calendar.value = year ? `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}` : "";
  try { calendar.showPicker(); } catch { field.focus(); field.select(); }
}

// <form data-next>: the phone's “next” key, and Enter, go on to the next field instead of sending.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || event.defaultPrevented) return;
  if (!event.target.matches("form[data-next] input[enterkeyhint=next]")) return;
  const all = [...event.target.form.elements];
  const next = all.slice(all.indexOf(event.target) + 1).find(
    (one) => one.tabIndex >= 0 && one.type !== "hidden" && one.tagName !== "FIELDSET" && (one.checkVisibility?.() ?? true));
  if (!next) return;
  event.preventDefault();
  next.focus();
});

// A link to a field (#id) opens what is folded around it and begins there.
document.addEventListener("DOMContentLoaded", () => {
  const field = location.hash && document.getElementById(location.hash.slice(1));
  if (!field) return;
  for (let one = field; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
  field.focus();
  field.scrollIntoView();
});

// What only works with JavaScript is written hidden, and shown here.
function ready(root) {
  for (const one of root.querySelectorAll("[data-needs-js]")) one.hidden = false;
  if (navigator.clipboard) for (const one of root.querySelectorAll("[data-copy]")) one.hidden = false;
  const summary = root.querySelector("[data-error-summary]");
  if (summary) summary.focus();
}
document.addEventListener("DOMContentLoaded", () => ready(document));
document.addEventListener("htmx:afterSwap", (event) => ready(event.target));

// <form data-forget="prefix">: signing out takes along what was kept on this device, and asks when it was not sent yet.
document.addEventListener("submit", (event) => {
  const form = event.target, prefix = form.dataset.forget;
  if (!prefix) return;
  try {
    const kept = Object.keys(localStorage).filter((name) => name.startsWith(prefix));
    const unsent = kept.map((name) => JSON.parse(localStorage[name])).filter((one) => one.dirty && !one.dropped);
    if (!unsent.length || form.dataset.sure) {
      document.dispatchEvent(new Event("keep:forget"));
      return kept.forEach((name) => localStorage.removeItem(name));
    }
    event.preventDefault();
    askAboutUnsent(form, unsent.length);
  } catch { /* nothing can be kept on this device */ }
}, true);

function askAboutUnsent(form, count) {
  const banner = document.createElement("div"), sure = document.createElement("button");
  banner.className = "banner banner-warning";
  sure.className = "btn btn-outline-secondary d-block mt-2";
  sure.textContent = `Đăng xuất và xoá ${count} bản chưa gửi`;
  sure.addEventListener("click", () => { form.dataset.sure = "1"; form.requestSubmit(); });
  banner.append(`Trên máy này còn ${count} bản đang nhập chưa gửi; đăng xuất sẽ xoá. `, sure);
  document.querySelector("main [role=status]").replaceChildren(banner);
  for (const menu of document.querySelectorAll(".bottom-bar details[open], .account[open]")) menu.open = false;
  sure.focus();
}

// A piece of the page could not be fetched: what was typed stays where it is.
function complain(event) {
  if (event.target.closest("[data-quiet]")) return; // a comfort, asked for at every figure: missing it needs no words
  const expired = event.detail.xhr && event.detail.xhr.status === 401;
  const banner = document.createElement("div");
  banner.className = "banner banner-error";
  banner.textContent = expired
    ? "Phiên đã hết hạn. Chép lại nội dung đang nhập, rồi tải lại trang để đăng nhập."
    : "Chưa tải được. Kiểm tra mạng rồi thử lại.";
  document.querySelector("main [role=status]").replaceChildren(banner);
}
document.addEventListener("htmx:responseError", complain);
document.addEventListener("htmx:sendError", complain);

// Escape closes an open menu.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest(".bottom-bar details[open], .account[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
});
