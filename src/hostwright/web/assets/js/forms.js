import { all, on, one, words } from "./dom.js";

// An error summary takes the focus, after a swap and on a page that came with one.
function focusSummary() {
  const summary = one("[data-focus]");
  if (!summary) return;
  summary.focus({ preventScroll: true });
  summary.scrollIntoView({ block: "nearest" });
}

document.addEventListener("htmx:after:swap", focusSummary);
focusSummary();

// Leaving a guarded form with changes asks first.
on("input", "form[data-guard]", (event, form) => {
  form.dataset.dirty = "";
});
on("submit", "form[data-guard]", (event, form) => {
  delete form.dataset.dirty;
});
addEventListener("beforeunload", (event) => {
  if (one("form[data-dirty]")) event.preventDefault();
});

// A plain form is sent once, and its button shows that it was.
on("submit", "form[data-once]", (event, form) => {
  const button = event.submitter ?? one("button[type=submit], button:not([type])", form);
  button?.setAttribute("aria-busy", "true");
  setTimeout(() => button && (button.disabled = true));
});
addEventListener("pageshow", () => {
  for (const button of all("form[data-once] button[aria-busy]")) {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
});

// Passwords: show and hide, and what would make one better.
for (const button of all("[data-reveal]")) button.hidden = false;

on("click", "[data-reveal]", (event, button) => {
  const input = document.getElementById(button.dataset.reveal);
  const shown = input.type === "text";
  input.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
  button.setAttribute("aria-label", shown ? words().show : words().hide);
  input.focus();
});

const LONG = 16;
const ENOUGH = 12;

function strength(password, shortest) {
  if (!password) return "";
  if (password.length < shortest) return "short";
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(password)).length;
  const varied = new Set(password).size;
  if (varied < 5) return "repeats";
  if (password.length >= LONG || (password.length >= ENOUGH && kinds >= 3)) return "good";
  return "fair";
}

on("input", "[data-strength]", (event, input) => {
  const hint = document.getElementById(input.dataset.strength);
  const found = strength(input.value, input.minLength > 0 ? input.minLength : 8);
  hint.textContent = found ? words()[found] : hint.dataset.hint;
  hint.dataset.strength = found;
});

// Two inputs of one value, such as a colour as a well and as text.
on("input", "[data-mirrors]", (event, input) => {
  document.getElementById(input.dataset.mirrors).value = input.value;
});
