/**
 * Completion on view (courseware.md §5): a block that asks for it is complete when its top and its bottom have been on
 * the screen and the delay has passed; then it is told to `publish_completion`.
 */
import { handlerUrl, postJson, text } from "./lib";

interface Watched {
  element: HTMLElement;
  delay: number;
  top: boolean;
  bottom: boolean;
}

let watched: Watched[] = [];
let frame = 0;

/** Watches the blocks of a unit. */
export function startCompletion(root: ParentNode): void {
  watched = [...root.querySelectorAll<HTMLElement>("[data-mark-completed-on-view-after-delay]")].map((element) => ({
    element,
    delay: Number(element.dataset["markCompletedOnViewAfterDelay"]) || 0,
    top: false,
    bottom: false,
  }));
  look();
}

/** What of the page is in view; in a frame as tall as its content only the page around it knows. */
let view: { top: number; height: number } | undefined;
const isFramed = document.body.hasAttribute("data-framed") && window.parent !== window;

document.addEventListener("stoa:viewport", (event) => {
  view = (event as CustomEvent<{ top: number; height: number }>).detail;
  lookSoon();
});

function look(): void {
  frame = 0;
  if (isFramed && !view) return;
  const from = view?.top ?? 0;
  const to = from + (view?.height ?? window.innerHeight);
  watched = watched.filter((block) => {
    const box = block.element.getBoundingClientRect();
    if (box.height === 0 && box.width === 0) return true;
    block.top ||= box.top >= from && box.top <= to;
    block.bottom ||= box.bottom >= from && box.bottom <= to;
    if (!block.top || !block.bottom) return true;
    setTimeout(() => void complete(block.element), block.delay);
    return false;
  });
}

function lookSoon(): void {
  if (!frame && watched.length > 0) frame = requestAnimationFrame(look);
}

async function complete(element: HTMLElement): Promise<void> {
  if (!element.isConnected) return;
  try {
    await postJson(handlerUrl(element, "publish_completion"), { completion: 1 });
    element.removeAttribute("data-mark-completed-on-view-after-delay");
    await refreshUnit();
  } catch {
    // Completion is asked for again on the next visit; nothing of the learner's is lost.
  }
}

/** Asks whether the whole unit is complete now and shows it. */
export async function refreshUnit(): Promise<void> {
  const unit = document.querySelector<HTMLElement>("[data-unit-page]");
  const key = unit?.dataset["usageId"];
  const subsection = unit?.dataset["subsection"];
  const course = unit?.dataset["courseId"];
  if (!key || !subsection || !course) return;
  const url = `/courses/${course}/xblock/${subsection}/handler/get_completion`;
  const reply = (await postJson(url, { usage_key: key })) as { complete?: boolean };
  if (reply.complete) showDone(key);
}

function showDone(key: string): void {
  for (const link of document.querySelectorAll<HTMLElement>(`[data-unit="${CSS.escape(key)}"]`)) {
    const inBar = link.closest(".s-seq") !== null;
    if (inBar && !link.classList.contains("s-seq--done")) {
      link.classList.add("s-seq--done");
      const name = link.querySelector(".u-vh");
      if (name) name.textContent = `${name.textContent ?? ""}, ${text("complete")}`;
    }
    const mark = link.querySelector(".s-mark");
    if (!mark || mark.classList.contains("s-mark--done")) continue;
    mark.className = "s-mark s-mark--done";
    const use = mark.querySelector("use");
    const href = use?.getAttribute("href") ?? "";
    use?.setAttribute("href", href.replace(/#.*$/, "#i-done"));
    const word = mark.querySelector(".u-vh");
    if (word) word.textContent = `${text("complete")}:`;
  }
}

addEventListener("scroll", lookSoon, { passive: true });
addEventListener("resize", lookSoon, { passive: true });
// Other bundles (video) say so when they have completed a block.
document.addEventListener("stoa:completed", () => void refreshUnit().catch(() => undefined));
