// Elements are looked up when used: htmx may have replaced them since the page was loaded.

/** The first match, or null. */
export const one = (selector, root = document) => root.querySelector(selector);

/** All matches, as an array. */
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Listen on the document for events from elements that match, now and later. */
export function on(type, selector, handle) {
  document.addEventListener(type, (event) => {
    const element = event.target.closest?.(selector);
    if (element) handle(event, element);
  });
}

/** A cookie's value, or undefined. */
export function cookie(name) {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

/** Keep a choice of the person's for a year. */
export function remember(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
}

/** A sentence in the page's language. */
export const words = () => JSON.parse(one("#words")?.textContent ?? "{}");
