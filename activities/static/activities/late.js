"use strict";
// Improvements only: the button says how many boxes are ticked, and the text to paste names only those units.
for (const form of document.querySelectorAll("form[data-remind]")) {
  const button = form.querySelector("[data-count]"), text = document.getElementById("loi-nhan");
  const boxes = [...form.querySelectorAll("input[name=chon]")], whole = text && text.textContent;
  const tell = () => {
    const ticked = boxes.filter((box) => box.checked);
    button.textContent = button.dataset.count.replace("#", ticked.length.toLocaleString("vi-VN"));
    button.disabled = !ticked.length;
    if (!text || !ticked.length || boxes.every((box) => box.checked)) { if (text) text.textContent = whole; return; }
    text.textContent = whole.replace(/: .*/, () => `: ${ticked.map((box) => box.dataset.name).join(", ")}.`);
  };
  if (button) form.addEventListener("change", tell);
}
