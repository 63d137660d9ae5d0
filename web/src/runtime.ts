/**
 * The XBlock runtime with jQuery (courseware.md §10.3), loaded before the content and only by pages whose blocks have an
 * initialiser of their own or whose authors wrote scripts.
 */
import $ from "jquery";

type Args = unknown;
type Listener = (data: unknown) => void;

interface RuntimeElement extends HTMLElement {
  runtime?: LmsRuntime;
}

/** Runtime of version 1: what a block's script is handed. */
class LmsRuntime {
  readonly #element: Element;
  readonly #listeners: Map<string, Listener[]>;

  constructor(element: Element, listeners: Map<string, Listener[]>) {
    this.#element = element;
    this.#listeners = listeners;
  }

  handlerUrl(element: unknown, name: string, suffix = "", query = "", thirdParty = false): string {
    const block = $(element as Element).closest(".xblock")[0] ?? this.#element;
    const course = block.getAttribute("data-course-id") ?? "";
    const usage = block.getAttribute("data-usage-id") ?? "";
    const kind = thirdParty ? "handler_noauth" : "handler";
    const path = `/courses/${course}/xblock/${usage}/${kind}/${name}`;
    return `${thirdParty ? location.origin : ""}${path}${suffix ? `/${suffix}` : ""}${query ? `?${query}` : ""}`;
  }

  children(element: unknown): unknown[] {
    return $(element as Element)
      .find(".xblock")
      .filter((_, child) => $(child).parent().closest(".xblock")[0] === $(element as Element)[0])
      .map((_, child) => (child as unknown as { xblock?: unknown }).xblock ?? child)
      .get() as unknown[];
  }

  childMap(element: unknown, name: string): unknown {
    return this.children(element).find((child) => (child as { name?: string }).name === name);
  }

  notify(name: string, data?: unknown): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(data);
  }

  listenTo(name: string, listener: Listener): void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }

  refreshXBlock(): void {
    location.reload();
  }
}

const listeners = new Map<string, Listener[]>();
const globals = window as unknown as Record<string, unknown>;
/** Types of shimmed modules that the page's own scripts serve. */
const covered = new Set(["Problem", "HTMLModule", "Video", "Sequence", "Conditional", "Poll", "WordCloud"]);

function argumentsOf(element: Element): Args {
  const script = element.querySelector(":scope > .xblock-json-init-args, :scope > .xblock_json_init_args");
  try {
    return script ? JSON.parse(script.textContent ?? "") : {};
  } catch {
    return {};
  }
}

function initializeBlock(element: RuntimeElement, token?: string): unknown {
  if (element.classList.contains("xblock-initialized")) return element;
  const requestToken = token ?? element.dataset["requestToken"];
  initializeBlocks(element, requestToken);
  const runtime = new LmsRuntime(element, listeners);
  element.runtime = runtime;
  const name = element.dataset["init"];
  const args = argumentsOf(element);
  const constructor = name ? globals[name] : undefined;
  let block: unknown = {};
  if (typeof constructor === "function") {
    try {
      block = new (constructor as new (runtime: LmsRuntime, element: Element, args: Args) => unknown)(runtime, element, args);
    } catch (error) {
      // One block's fault must not stop its neighbours; the browser's log has it.
      setTimeout(() => {
        throw error;
      });
    }
  }
  Object.assign(block as object, { element, name: element.dataset["name"], type: element.dataset["blockType"] });
  $(element).data("initialized", true).addClass("xblock-initialized");
  (element as unknown as { xblock: unknown }).xblock = block;
  return block;
}

function initializeBlocks(root: Element, token?: string): unknown[] {
  const nested = [...root.querySelectorAll<RuntimeElement>(".xblock")];
  return nested
    .filter((element) => element.parentElement?.closest(".xblock, body") === (root.matches(".xblock") ? root : document.body) || !root.matches(".xblock"))
    .filter((element) => !token || !element.dataset["requestToken"] || element.dataset["requestToken"] === token)
    .map((element) => initializeBlock(element, token));
}

/** Old modules: `new window[type](element)`; those of the platform are served by the page's own script. */
function XBlockToXModuleShim(runtime: LmsRuntime, element: Element, args: Args): void {
  const kind = (args as { "xmodule-type"?: string })["xmodule-type"] ?? "None";
  const constructor = globals[kind];
  if (covered.has(kind) || typeof constructor !== "function") return;
  const module = new (constructor as new (element: Element, runtime: LmsRuntime) => unknown)(element, runtime);
  $(element).data("module", module as object).trigger("xblock-rendered", [$(element)]);
}

$.ajaxSetup({
  beforeSend(request, settings) {
    const isOurs = new URL(settings.url ?? "", location.href).origin === location.origin;
    if (isOurs) request.setRequestHeader("X-CSRFToken", /(?:^|; )csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "");
  },
});

Object.assign(globals, {
  $,
  jQuery: $,
  XBlock: { Runtime: { v1: LmsRuntime }, initializeBlock: (element: Element) => initializeBlock($(element)[0] as RuntimeElement), initializeBlocks: (root: Element) => initializeBlocks($(root)[0] ?? document.body) },
  LmsRuntime: { v1: LmsRuntime },
  XBlockToXModuleShim,
  // Course scripts call these; texts stay as their authors wrote them.
  gettext: (text: string) => text,
  ngettext: (one: string, many: string, count: number) => (count === 1 ? one : many),
  emit_event: () => undefined,
  Logger: { log: () => undefined, listen: () => undefined },
  // Pictures as answers are served by the page's own script; the recorded markup calls this.
  ImageInput: function ImageInput() {
    return undefined;
  },
});

const runWhenReady = () => {
  globals["$$course_id"] = document.querySelector<HTMLElement>("[data-course-id]")?.dataset["courseId"];
  for (const element of document.querySelectorAll<RuntimeElement>("[data-unit-page] .xblock")) {
    if (element.parentElement?.closest(".xblock:not([data-unit-page])")) continue;
    initializeBlock(element);
  }
};
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", runWhenReady);
else runWhenReady();
