/**
 * A block on a page of its own inside a front end's frame: tells the page around it how large it is and where its anchors are,
 * and learns from it what is in view (courseware.md §10.2).
 */

const isFramed = document.body.hasAttribute("data-framed") && window.parent !== window;
/** Where messages about the page go: the front end that framed it. */
const target = (() => {
  try {
    return new URL(document.referrer).origin;
  } catch {
    return "";
  }
})();

function tell(message: unknown): void {
  if (isFramed && target) window.parent.postMessage(message, target);
}

let told = "";

function resize(): void {
  const { offsetHeight, scrollHeight, offsetWidth } = document.body;
  const size = { width: offsetWidth, height: Math.max(offsetHeight, scrollHeight, 1) };
  const text = `${size.width}x${size.height}`;
  if (text === told) return;
  told = text;
  tell({ type: "plugin.resize", payload: size });
}

function offsetOf(hash: string): void {
  const element = hash.length > 1 ? document.getElementById(decodeURIComponent(hash.slice(1))) : null;
  if (element) tell({ offset: element.getBoundingClientRect().top + window.scrollY });
}

function listen(): void {
  addEventListener("message", (event: MessageEvent<unknown>) => {
    if (event.origin !== target || typeof event.data !== "object" || event.data === null) return;
    const message = event.data as { type?: string; hashName?: string; data?: { topPosition?: number; viewportHeight?: number } };
    if (typeof message.hashName === "string") offsetOf(message.hashName);
    if (message.type === "unit.visibilityStatus") {
      const top = -(message.data?.topPosition ?? 0);
      const height = message.data?.viewportHeight ?? 0;
      document.dispatchEvent(new CustomEvent("stoa:viewport", { detail: { top, height } }));
    }
  });
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>('a[href^="#"]');
    if (link) offsetOf(link.getAttribute("href") ?? "");
  });
  document.addEventListener("fullscreenchange", () => {
    tell({ type: "plugin.videoFullScreen", payload: { open: document.fullscreenElement !== null } });
  });
  new ResizeObserver(resize).observe(document.body);
  new MutationObserver(resize).observe(document.body, { childList: true, subtree: true, attributes: true });
  addEventListener("load", resize);
  resize();
}

/** Dates that the server leaves to the reader's own clock. */
function showDates(): void {
  for (const span of document.querySelectorAll<HTMLElement>(".localized-datetime[data-datetime]")) {
    const moment = new Date((span.dataset["datetime"] ?? "").replace(" ", "T"));
    if (Number.isNaN(moment.getTime())) continue;
    const zone = span.dataset["timezone"];
    const options: Intl.DateTimeFormatOptions = { dateStyle: "medium", timeStyle: "short", ...(zone ? { timeZone: zone } : {}) };
    const date = new Intl.DateTimeFormat(document.documentElement.lang || undefined, options).format(moment);
    span.textContent = (span.dataset["string"] ?? "{date}").replace("{date}", date);
  }
}

/** Blocks whose own programs are not on this site say so instead of loading for ever. */
function settleSpinners(): void {
  for (const box of document.querySelectorAll<HTMLElement>(".xblock--drag-and-drop, #ora-mfe-view, .openassessment__steps")) {
    const note = document.createElement("p");
    note.className = "u-soft";
    note.textContent = document.body.dataset["unavailable"] ?? "";
    box.replaceChildren(note);
  }
}

Object.assign(window, {
  emit_event: (message: unknown) => tell(message),
});
showDates();
settleSpinners();
if (isFramed) listen();
