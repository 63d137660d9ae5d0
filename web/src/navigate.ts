/**
 * Moving between units without loading the page again. A unit whose scripts might not run twice, or that needs a bundle
 * which is not loaded, is opened the ordinary way.
 */
import { announceContent } from "./lib";

type Start = (root: ParentNode) => void;

/** Catches links to units and single keys. */
export function startNavigation(startUnit: Start): void {
  if (!document.querySelector("[data-unit-page]")) return;
  history.replaceState({ unit: true }, "");
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>(".s-seq a, .s-turn a, .s-rail a[data-unit]");
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.origin !== location.origin) return;
    event.preventDefault();
    void go(link.href, startUnit, true);
  });
  addEventListener("popstate", (event) => {
    if ((event.state as { unit?: boolean } | null)?.unit) void go(location.href, startUnit, false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target as Element)) return;
    const rel = { "[": "prev", "]": "next" }[event.key];
    if (rel) document.querySelector<HTMLAnchorElement>(`.s-seq a[rel="${rel}"]`)?.click();
    if (event.key === "b") document.querySelector<HTMLButtonElement>("[data-bookmark] button")?.click();
  });
}

function isTyping(element: Element): boolean {
  return element.closest("input, textarea, select, [contenteditable], video, audio, .s-video, [role='application']") !== null;
}

async function go(url: string, startUnit: Start, isNew: boolean): Promise<void> {
  let page: Document;
  try {
    const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (!response.ok || response.redirected) throw new Error("not a plain page");
    page = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    location.assign(url);
    return;
  }
  const [now, next] = [document.querySelector(".l-page"), page.querySelector(".l-page")];
  if (!now || !next || !page.querySelector("[data-unit-page]") || needsLoad(page)) {
    location.assign(url);
    return;
  }
  const swap = () => {
    if (isNew) history.pushState({ unit: true }, "", url);
    document.title = page.title;
    now.replaceWith(next);
    scrollTo({ top: 0, behavior: "instant" });
    startUnit(next);
    announceContent(next);
    next.querySelector<HTMLElement>(".unit-title")?.focus();
  };
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (document.startViewTransition && !reduced) document.startViewTransition(swap);
  else swap();
}

/** Whether a page has scripts of its content, or wants a bundle that this one has not loaded. */
function needsLoad(page: Document): boolean {
  const isCode = (script: HTMLScriptElement) => !script.type || /javascript|^module$/.test(script.type);
  if ([...page.querySelectorAll<HTMLScriptElement>("body script")].some(isCode)) return true;
  const loaded = new Set([...document.querySelectorAll<HTMLScriptElement>("head script[src]")].map((script) => script.getAttribute("src")));
  return [...page.querySelectorAll<HTMLScriptElement>("head script[src]")].some((script) => !loaded.has(script.getAttribute("src")) || script.src.includes("/runtime-"));
}
