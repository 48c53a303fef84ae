"use strict";
// The cascade grid while somebody types: the line of sums, Enter and arrows, a pasted column, Escape, and a warning
// before unsaved numbers are left. The server computes everything again on saving; nothing here decides anything.

const gridOf = (element) => element.closest("form[data-grid]");
const boxes = (form) => [...form.querySelectorAll("[data-number]")];
let leaving = false;

// A number written the Vietnamese way, in the smallest unit; null when blank, undefined when it cannot be read.
function read(text, decimals) {
  const bare = text.trim().replace(/\s*%$/, "");
  if (!bare) return null;
  const match = bare.match(/^([0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,([0-9]+))?$/);
  if (!match || (match[2] || "").length > decimals) return undefined;
  return BigInt(match[1].replaceAll(".", "") + (match[2] || "").padEnd(decimals, "0"));
}

function write(value, decimals) {
  const digits = String(value).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals), part = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return whole.replace(/\B(?=([0-9]{3})+$)/g, ".") + (decimals && part ? `,${part}` : "");
}

function sum(form) {
  const line = form.querySelector("[data-total]");
  if (!line) return;
  const decimals = Number(form.dataset.decimals), unit = form.dataset.unit ? ` ${form.dataset.unit}` : "";
  let shared = 0n, unread = false;
  for (const box of boxes(form)) {
    const value = read(box.value, decimals);
    if (value === undefined) unread = true;
    else shared += value ?? 0n;
  }
  const left = BigInt(line.dataset.total) - shared, words = (value) => write(value, decimals) + unit;
  const state = line.querySelector("[data-left]");
  line.querySelector("[data-shared]").textContent = unread ? "…" : words(shared);
  state.textContent = unread ? "…" : left > 0n ? `Còn lại ${words(left)}` : left ? `Vượt ${words(-left)} (được phép)` : "Đủ";
  state.className = `state state-${unread || left > 0n ? "chua_dat" : "dat"}`;
}

function compare(box) {
  const shown = box.closest("tr").querySelector("[data-change]");
  if (!shown) return;
  const form = gridOf(box), value = read(box.value, Number(form.dataset.decimals));
  const last = box.dataset.last === "" ? null : BigInt(box.dataset.last);
  shown.textContent = "";
  if (last === null || value === null || value === undefined) return;
  const more = value > last, apart = more ? value - last : last - value;
  if (!form.querySelector("[data-total]")) shown.textContent = `${more ? "+" : apart ? "-" : ""}${write(apart, 2)} điểm`;
  else if (last) shown.textContent = `${more ? "+" : apart ? "-" : ""}${write((2n * apart * 100n + last) / (2n * last), 0)}%`;
}

// What somebody typed is kept when numbers are shared out: the mark shows it, and may be taken away again.
function typed(box) {
  const key = box.name.slice(2), form = gridOf(box);
  const mark = form.elements[`g-${key}`], shown = form.elements[`t-${key}`];
  if (!("before" in box.dataset)) Object.assign(box.dataset, { before: shown.value, marked: mark.checked ? "1" : "" });
  const changed = box.value.trim() !== box.dataset.before;
  shown.value = changed ? box.value.trim() : box.dataset.before;
  mark.checked = changed && box.value.trim() ? true : box.dataset.marked === "1";
  form.dataset.unsaved = "";
  compare(box);
  sum(form);
}

document.addEventListener("input", (event) => {
  const form = gridOf(event.target);
  if (!form) return;
  form.dataset.unsaved = "";
  if (event.target.matches("[data-number]")) typed(event.target);
});

// Enter and the arrows move along the column; Enter beside a button of the panel presses that button.
document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (event.isComposing || !box.matches("form[data-grid] input[type=text], form[data-grid] .grid-act input")) return;
  const act = box.closest(".grid-act, .grid-groups");
  if (act) {
    const button = event.key === "Enter" && (act.querySelector("button") || act.closest(".grid-groups").querySelector("button"));
    if (button) { event.preventDefault(); button.click(); }
    return;
  }
  const all = [...gridOf(box).querySelectorAll(`tbody input[type=text][name^="${box.name[0]}-"]`)];
  const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    const other = all[all.indexOf(box) + step];
    if (other) { other.focus(); other.select(); }
  } else if (event.key === "Escape" && "before" in box.dataset) {
    event.preventDefault();
    box.value = box.dataset.before;
    typed(box);
  }
});

// A column copied from a workbook fills the boxes downwards from here.
document.addEventListener("paste", (event) => {
  if (!event.target.matches("form[data-grid] [data-number]")) return;
  const lines = event.clipboardData.getData("text").replace(/[\r\n]+$/, "").split(/\r\n|\r|\n/);
  if (lines.length < 2) return;
  event.preventDefault();
  const all = boxes(gridOf(event.target)), here = all.indexOf(event.target);
  lines.slice(0, all.length - here).forEach((line, place) => {
    all[here + place].value = line.split("\t").pop().trim();
    typed(all[here + place]);
  });
});

document.addEventListener("submit", (event) => { if (gridOf(event.target)) leaving = true; });
document.addEventListener("click", (event) => { if (event.target.closest("#luoi a[href*='bo-nhap']")) leaving = true; });
window.addEventListener("pageshow", () => { leaving = false; });
window.addEventListener("beforeunload", (event) => {
  if (!leaving && document.querySelector("form[data-grid][data-unsaved]")) event.preventDefault();
});
