/**
 * Answers that a page in a frame gives (capa.md §4.2, jsinput): its `gradefn` is called before each submission, its state is kept in the
 * answer and given back when the page opens again. Frames of another origin cannot be asked this way and stay as they are.
 */

const TRIES = 5;
const PAUSE = 200;

/** The function of a dotted path inside a frame. */
function functionIn(frame: HTMLIFrameElement, path: string | undefined): ((...values: unknown[]) => unknown) | undefined {
  if (!path || !frame.contentWindow) return undefined;
  try {
    let owner: unknown = undefined;
    let value: unknown = frame.contentWindow;
    for (const name of path.split(".")) {
      owner = value;
      value = (value as Record<string, unknown>)[name];
    }
    return typeof value === "function" ? (value.bind(owner) as (...values: unknown[]) => unknown) : undefined;
  } catch {
    return undefined;
  }
}

function parts(box: HTMLElement): { frame: HTMLIFrameElement; field: HTMLInputElement } | undefined {
  const frame = box.querySelector<HTMLIFrameElement>("iframe");
  const field = box.querySelector<HTMLInputElement>('input[type="hidden"]');
  return frame && field ? { frame, field } : undefined;
}

/** Gives every frame its stored state once it is there. */
export function openFrames(root: ParentNode): void {
  for (const box of root.querySelectorAll<HTMLElement>(".jsinput")) {
    const found = parts(box);
    const setState = box.dataset["setstate"];
    if (!found || !setState) continue;
    const restore = (left: number): void => {
      const set = functionIn(found.frame, setState);
      if (!set) {
        if (left > 0) setTimeout(() => restore(left - 1), PAUSE);
        return;
      }
      let state = box.dataset["initialState"];
      try {
        state = (JSON.parse(box.dataset["stored"] ?? found.field.value) as { state?: string }).state ?? state;
      } catch {
        // A bare answer holds no state.
      }
      if (state !== undefined) set(state);
    };
    restore(TRIES);
    found.frame.addEventListener("load", () => restore(TRIES));
  }
}

/** Asks every frame for its answer. */
export async function askFrames(root: ParentNode): Promise<void> {
  for (const box of root.querySelectorAll<HTMLElement>(".jsinput")) {
    const found = parts(box);
    const grade = found && functionIn(found.frame, box.getAttribute("data") ?? undefined);
    if (!found || !grade) continue;
    const answer = await grade();
    const getState = functionIn(found.frame, box.dataset["getstate"]);
    found.field.value = getState && box.dataset["setstate"] ? JSON.stringify({ answer, state: await getState() }) : String(answer);
  }
}
