// Answers and messages overtake each other. What was made last is to be seen last.

const LONGEST_HOLD = 5_000; // what asks a slow vendor must not keep other news from the page
const isStream = (ctx) => ctx.sourceElement?.id === "live";
const view = () => location.pathname + location.search;

const underWay = new Set(); // requests whose answer is not in the page yet
let calm = []; // who waits until there is none

function settle() {
  for (const resolve of calm) resolve();
  calm = [];
}

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (isStream(ctx)) return;
  ctx.askedBy = view();
  underWay.add(ctx);
});

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!underWay.delete(ctx) && ctx.overtaken) document.dispatchEvent(new CustomEvent("hw:outdated"));
  if (!underWay.size) settle();
});

// Whoever asked for another view meanwhile wants that one: what the earlier view asked for is dropped.
document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = event.detail;
  if (ctx.request.method === "GET" && ctx.askedBy && ctx.askedBy !== view()) event.preventDefault();
});

// The answer to a press is made before the change is announced, but may arrive after the announcement: a server that
// had long stopped would be shown as stopping for ever. So messages wait for answers, but not for long.
document.addEventListener("htmx:sse:before:message", (event) => {
  if (!underWay.size) return;
  const wait = new Promise((resolve) => {
    calm.push(resolve);
    setTimeout(resolve, LONGEST_HOLD, true);
  });
  event.detail.waitUntil(wait.then((tooLong) => tooLong && giveUpWaiting()));
});

function giveUpWaiting() {
  for (const ctx of underWay) ctx.overtaken = true;
  underWay.clear();
  settle();
}
