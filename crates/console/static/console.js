// Keeps what is marked data-live as fresh as the server says it is, and gives tables keys.
"use strict";

// By this mark the page was told what became of a form. It is good once.
const here = new URL(location.href);
if (here.searchParams.has("told")) {
  here.searchParams.delete("told");
  history.replaceState(null, "", here);
}

// Fetches this page again and puts in what changed, leaving alone where somebody is at work. It says
// that nobody asks but the page: a session ends when nobody is there, however much changes.
const freshen = async () => {
  const response = await fetch(location.href, { headers: { accept: "text/html", "x-by-itself": "1" } });
  // The session is over: nothing of it stays on the screen.
  if (response.redirected) location.reload();
  if (!response.ok || response.redirected) return;
  const next = new DOMParser().parseFromString(await response.text(), "text/html");
  const parts = document.querySelectorAll("[data-live]");
  next.querySelectorAll("[data-live]").forEach((part, index) => {
    const now = parts[index];
    // What was chosen stays chosen.
    if (now && !now.contains(document.activeElement) && !now.querySelector("input:checked") && now.innerHTML !== part.innerHTML) {
      now.replaceChildren(...part.childNodes);
    }
  });
};

if (document.querySelector("[data-live]")) {
  let waiting = false;
  const changes = new EventSource("/changes");
  changes.addEventListener("change", () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => { waiting = false; freshen().catch(() => {}); }, 200);
  });
  // Whoever is not signed in any more is told of nothing.
  changes.addEventListener("error", () => {
    if (changes.readyState === EventSource.CLOSED) freshen().catch(() => {});
  });
}

// "/" goes to the search, j and k go through the rows of a table.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const rows = [...document.querySelectorAll("tbody th a")];
  const at = rows.indexOf(document.activeElement);
  if (event.key === "/") document.querySelector("input[type=search]")?.focus();
  else if (event.key === "j") rows[Math.min(at + 1, rows.length - 1)]?.focus();
  else if (event.key === "k") rows[Math.max(at - 1, 0)]?.focus();
  else return;
  event.preventDefault();
});

// All that is on the page is chosen at once, or nothing of it.
document.querySelectorAll("[data-choose-all]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => {
    const boxes = [...document.querySelectorAll(`input[type=checkbox][form="${button.form.id}"]`)];
    const all = boxes.every((box) => box.checked);
    boxes.forEach((box) => { box.checked = !all; });
  });
});
