// The look follows Airflow's own choice, which it keeps under this key on the same origin.
function follow() {
  const chosen = localStorage.getItem("theme");
  const dark = chosen === "dark" ||
    (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}
follow();
addEventListener("storage", follow);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);

// Airflow's frame lets no link open a window or leave the frame, so Airflow's own page does it.
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[target]");
  if (!link || parent === window) return;
  event.preventDefault();
  const outside = parent.document.createElement("a");
  outside.href = link.href;
  outside.target = link.target === "_blank" ? "_blank" : "_self";
  outside.rel = "noopener";
  outside.click();
});
