"use strict";
// How far a level moved, while it is typed. The server says it again, and judges: this reads plain numbers only
// ("1.234", "397,8") and stays silent about anything else. Same rounding as activities/level_changes.py.

const PLAIN = /^([0-9]{1,15}|[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,5})(?:,([0-9]+))?$/;

// Smallest units as a BigInt; null when it is no plain number.
function plainNumber(text, decimals) {
  const match = PLAIN.exec(text.trim());
  const fraction = (match && match[2]) || "";
  if (!match || fraction.length > decimals) return null;
  return BigInt(match[1].replaceAll(".", "") + fraction.padEnd(decimals, "0"));
}

function changeInWords(before, value) {
  if (value === before) return "không đổi";
  if (before === 0n) return "trước là 0";
  const moved = value > before ? value - before : before - value;
  const tenths = (2000n * moved + before) / (2n * before);
  const whole = (tenths / 10n).toString().replace(/\B(?=(?:[0-9]{3})+$)/g, ".");
  const part = tenths % 10n ? `,${tenths % 10n}` : "";
  return `${value > before ? "+" : "−"}${whole}${part}%`;
}

function isBig(before, value) {
  const moved = value > before ? value - before : before - value;
  return moved * 100n > 15n * before;
}

document.addEventListener("input", (event) => {
  const place = event.target.closest(".levels [data-level]");
  const shown = place && place.querySelector("[data-change]");
  if (!shown) return;
  const value = plainNumber(event.target.value, Number(place.dataset.decimals));
  const known = value !== null && place.dataset.level !== "";
  const before = known ? BigInt(place.dataset.level) : null;
  const quiet = value === before && place.closest(".levels-many"); // its tick box says “không đổi”
  shown.textContent = known && !quiet ? changeInWords(before, value) : "";
  place.querySelector("[data-big]").hidden = !(known && isBig(before, value));
});
