import { cookie } from "./dom.js";

// The prefixed name is used over HTTPS, the plain one in development.
document.addEventListener("htmx:config:request", (event) => {
  event.detail.ctx.request.headers["X-CSRF-Token"] = cookie("__Host-hw_csrf") ?? cookie("hw_csrf") ?? "";
});
