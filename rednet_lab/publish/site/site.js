// Search over the pages' own index (search.js sets window.COURSE), and one button that folds all code.
"use strict";
const box = document.querySelector(".find input"), list = document.querySelector(".find ol");
const plain = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

function excerpt(text, word) {
  const at = Math.max(text.toLowerCase().indexOf(word), 0), from = Math.max(at - 40, 0);
  const cut = text.slice(from, at + word.length + 90), hit = at - from;
  return (from ? "…" : "") + plain(cut.slice(0, hit)) + "<mark>" + plain(cut.slice(hit, hit + word.length)) + "</mark>" +
    plain(cut.slice(hit + word.length)) + "…";
}

function search() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  list.innerHTML = "";
  if (!words.length || box.value.trim().length < 2) return;
  const found = [];
  for (const [page, title, anchor, heading, text] of window.COURSE || []) {
    const head = heading.toLowerCase(), all = head + " " + title.toLowerCase() + " " + text.toLowerCase();
    if (words.every((word) => all.includes(word))) {
      found.push([words.every((word) => head.includes(word)) ? 0 : 1, page, title, anchor, heading, text]);
    }
  }
  found.sort((a, b) => a[0] - b[0]); // headings first; the order of the series otherwise
  for (const [, page, title, anchor, heading, text] of found.slice(0, 12)) {
    const word = words.find((w) => text.toLowerCase().includes(w)) || words[0];
    list.insertAdjacentHTML("beforeend", `<li><a href="${page}#${anchor}"><b>${plain(heading)}</b> · ${plain(title)}` +
      `<small>${excerpt(text, word)}</small></a></li>`);
  }
  if (!found.length) list.innerHTML = '<li class="nothing">nothing found</li>';
}

if (box) {
  box.addEventListener("input", search);
  box.form.addEventListener("submit", (event) => { event.preventDefault(); list.querySelector("a")?.click(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { list.innerHTML = ""; }
    if (event.key === "/" && !/INPUT|TEXTAREA|SELECT/.test(document.activeElement.tagName)) { event.preventDefault(); box.focus(); }
  });
  document.addEventListener("click", (event) => { if (!event.target.closest(".find")) list.innerHTML = ""; });
}

const fold = document.querySelector(".bar button.code");
fold?.addEventListener("click", () => {
  const cells = [...document.querySelectorAll("details.source")], open = cells.some((cell) => cell.open);
  cells.forEach((cell) => { cell.open = !open; });
  fold.textContent = open ? "Show code" : "Hide code";
});
addEventListener("beforeprint", () => document.querySelectorAll("details.source").forEach((cell) => { cell.open = true; }));
