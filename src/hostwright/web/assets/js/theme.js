import { all, cookie, on, remember } from "./dom.js";

const night = matchMedia("(prefers-color-scheme: dark)");
const chosen = () => cookie("hw_theme") ?? "system";

function apply(theme) {
  document.documentElement.classList.toggle("dark", theme === "dark" || (theme === "system" && night.matches));
  for (const button of all("[data-theme-set]")) button.setAttribute("aria-checked", button.dataset.themeSet === theme);
  document.dispatchEvent(new Event("hw:theme"));
}

on("click", "[data-theme-set]", (event, button) => {
  remember("hw_theme", button.dataset.themeSet);
  apply(button.dataset.themeSet);
});

night.addEventListener("change", () => apply(chosen()));

on("click", "[data-language-set]", (event, button) => {
  remember("hw_lang", button.dataset.languageSet);
  location.reload();
});
