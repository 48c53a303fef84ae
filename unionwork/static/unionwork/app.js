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

// <input type="checkbox" data-select-all="name of the boxes">
document.addEventListener("change", (event) => {
  const name = event.target.dataset.selectAll;
  if (!name) return;
  for (const box of event.target.form.elements) {
    if (box.type === "checkbox" && box.name === name) box.checked = event.target.checked;
  }
});

// <button data-copy="the text, or #id of the element that holds it">, <button data-show-password="id of the field">
document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const wanted = copy.dataset.copy;
    await navigator.clipboard.writeText(wanted[0] === "#" ? document.querySelector(wanted).textContent.trim() : wanted);
    const label = copy.textContent;
    copy.textContent = "Đã chép";
    setTimeout(() => { copy.textContent = label; }, 2000);
  }
  const show = event.target.closest("[data-show-password]");
  if (show) {
    const field = document.getElementById(show.dataset.showPassword);
    const hidden = field.type === "password";
    field.type = hidden ? "text" : "password";
    show.textContent = hidden ? "Ẩn mật khẩu" : "Hiện mật khẩu";
    show.setAttribute("aria-pressed", String(hidden));
  }
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

// A piece of the page could not be fetched: what was typed stays where it is.
function complain(event) {
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
