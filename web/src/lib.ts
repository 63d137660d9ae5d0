/** Small things that every part uses. */

/** The value of a cookie. */
export function cookie(name: string): string {
  for (const pair of document.cookie.split(";")) {
    const [key, ...value] = pair.trim().split("=");
    if (key === name) return decodeURIComponent(value.join("="));
  }
  return "";
}

/** The token of the page's forms; the cookie's is taken first, since it may have been renewed by another tab. */
export function csrfToken(): string {
  const field = document.querySelector<HTMLInputElement>('input[name="csrfmiddlewaretoken"]');
  return cookie("csrftoken") || field?.value || "";
}

/** Posts to our own server. A `Response` that is not in the 200s is an error. */
export async function post(url: string, body: BodyInit, type?: string): Promise<Response> {
  const headers: Record<string, string> = { "X-CSRFToken": csrfToken(), "X-Requested-With": "XMLHttpRequest" };
  if (type) headers["Content-Type"] = type;
  const response = await fetch(url, { method: "POST", body, headers, credentials: "same-origin" });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}

/** Posts JSON and reads JSON. */
export async function postJson(url: string, body: unknown): Promise<unknown> {
  const response = await post(url, JSON.stringify(body), "application/json");
  return response.json();
}

let texts: Record<string, string> | undefined;

/** A text of the page's language with its places filled. */
export function text(name: string, values: Record<string, string | number> = {}): string {
  texts ??= JSON.parse(document.getElementById("texts")?.textContent ?? "{}") as Record<string, string>;
  const found = texts[name] ?? name;
  return found.replace(/\{(\w+)\}/g, (place, key: string) => String(values[key] ?? place));
}

/** Address of a block's handler (courseware.md §10.3). */
export function handlerUrl(element: Element, handler: string, suffix = ""): string {
  const block = element.closest<HTMLElement>(".xblock[data-usage-id]");
  const course = block?.dataset["courseId"] ?? block?.parentElement?.closest<HTMLElement>("[data-course-id]")?.dataset["courseId"] ?? "";
  const usage = block?.dataset["usageId"] ?? "";
  return `/courses/${course}/xblock/${usage}/handler/${handler}${suffix ? `/${suffix}` : ""}`;
}

/** Says something for a while; people who use a screen reader hear it. */
export function toast(message: string): void {
  const place = document.querySelector("[data-toasts]");
  if (!place) return;
  const note = document.createElement("p");
  note.className = "s-toast";
  note.textContent = message;
  place.append(note);
  setTimeout(() => note.remove(), 10_000);
}

/** Runs scripts inside new content, in order, as a page load would. */
export function runScripts(root: ParentNode): void {
  for (const old of root.querySelectorAll("script")) {
    if (old.type && !/javascript|^module$/.test(old.type)) continue;
    const fresh = document.createElement("script");
    for (const { name, value } of old.attributes) fresh.setAttribute(name, value);
    fresh.async = false;
    fresh.textContent = old.textContent;
    old.replaceWith(fresh);
  }
}

/** Tells other bundles (formulas, video, the XBlock runtime) that content has been put into the page. */
export function announceContent(root: Element): void {
  document.dispatchEvent(new CustomEvent("stoa:content", { detail: root }));
}
