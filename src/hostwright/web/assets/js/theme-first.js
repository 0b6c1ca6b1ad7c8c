// Blocking, first in <head>: settles light or dark before anything is painted.
(() => {
const set = /(?:^|; )hw_theme=(\w+)/.exec(document.cookie);
const theme = set ? set[1] : "system";
const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
document.documentElement.classList.toggle("dark", dark);
})();
