// The picture without it: links, and the scroll bars. With it: zoom, drag, and search as you type.
const picture = document.querySelector(".picture svg");
const frame = picture.parentElement;
const field = document.querySelector("input[name=at]");

function zoom(factor) {
  const middle = (frame.scrollLeft + frame.clientWidth / 2) / picture.clientWidth;
  picture.setAttribute("width", picture.clientWidth * factor);
  frame.scrollLeft = middle * picture.clientWidth - frame.clientWidth / 2;
}
document.querySelector(".zoom").hidden = false;
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => zoom(Number(button.dataset.zoom)));
}
frame.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
}, { passive: false });

let held = null;
frame.addEventListener("pointerdown", (event) => {
  held = { x: event.clientX + frame.scrollLeft, y: event.clientY + frame.scrollTop, moved: false };
});
frame.addEventListener("pointermove", (event) => {
  if (!held || event.pointerType !== "mouse") return;
  const left = held.x - event.clientX, top = held.y - event.clientY;
  held.moved ||= Math.hypot(left - frame.scrollLeft, top - frame.scrollTop) > 4;
  if (held.moved) frame.scrollTo(left, top);
});
addEventListener("pointerup", () => setTimeout(() => { held = null; }));
frame.addEventListener("click", (event) => { if (held?.moved) event.preventDefault(); }, true);
frame.addEventListener("dragstart", (event) => event.preventDefault());

function show(box) {
  const there = box.getBoundingClientRect(), seen = frame.getBoundingClientRect();
  frame.scrollBy(there.left - seen.left - seen.width / 3, there.top - seen.top - seen.height / 3);
}
function search() {
  const wanted = field.value.trim();
  const found = [...picture.querySelectorAll("a")].filter((box) => {
    const has = wanted !== "" && box.dataset.names.includes(wanted);
    box.classList.toggle("found", has);
    return has;
  });
  if (found.length) show(found[0]);
}
field.addEventListener("input", search);
const chosen = picture.querySelector(".chosen");
if (chosen) show(chosen);
