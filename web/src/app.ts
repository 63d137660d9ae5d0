/** What every page has; each part finds its elements by `data-` attributes and does nothing without them. */
import { startCompletion } from "./completion";
import { csrfToken, post, text, toast } from "./lib";
import { startMenus } from "./menu";
import { startNavigation } from "./navigate";
import { startProblems } from "./problem";

function startTheme(): void {
  const form = document.querySelector<HTMLFormElement>("[data-theme-form]");
  form?.addEventListener("submit", (event) => {
    const button = event.submitter as HTMLButtonElement | null;
    if (!button) return;
    event.preventDefault();
    const theme = button.value;
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
    for (const other of form.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
    const body = new URLSearchParams({ theme, csrfmiddlewaretoken: csrfToken() });
    void fetch(form.action, { method: "POST", body, redirect: "manual", credentials: "same-origin" });
  });
}

function startSmallThings(): void {
  for (const select of document.querySelectorAll<HTMLSelectElement>("select[data-submit-on-change]")) {
    const button = select.form?.querySelector<HTMLButtonElement>("button");
    if (button) button.hidden = true;
    select.addEventListener("change", () => select.form?.requestSubmit());
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-show-password]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset["showPassword"] ?? "");
      if (!(field instanceof HTMLInputElement)) return;
      const show = field.type === "password";
      field.type = show ? "text" : "password";
      button.setAttribute("aria-pressed", String(show));
    });
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const source = document.getElementById(button.dataset["copy"] ?? "");
      void navigator.clipboard.writeText(source?.textContent ?? "").then(() => toast(button.dataset["copied"] ?? ""));
    });
  }
  document.querySelector<HTMLElement>("[data-focus]")?.focus();
  const onward = document.querySelector<HTMLAnchorElement>("a[data-go]");
  if (onward) setTimeout(() => location.replace(onward.href), Number(onward.dataset["go"]));
  const toggle = document.querySelector<HTMLButtonElement>("[data-open-all]");
  if (toggle) {
    toggle.hidden = false;
    const sections = [...document.querySelectorAll<HTMLDetailsElement>("[data-outline] details")];
    const openText = toggle.textContent;
    const closeText = toggle.dataset["closeText"] ?? "";
    const show = () => (toggle.textContent = sections.every((section) => section.open) ? closeText : openText);
    toggle.addEventListener("click", () => {
      const open = !sections.every((section) => section.open);
      for (const section of sections) section.open = open;
    });
    for (const section of sections) section.addEventListener("toggle", show);
    show();
  }
}

function startBookmark(root: ParentNode): void {
  const form = root.querySelector<HTMLFormElement>("form[data-bookmark]");
  const button = form?.querySelector("button");
  const field = form?.querySelector<HTMLInputElement>('input[name="stoa_action"]');
  if (!form || !button || !field) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(pressed));
    const body = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
    field.value = pressed ? "unbookmark" : "bookmark";
    post(form.action, body).catch(() => {
      button.setAttribute("aria-pressed", String(!pressed));
      field.value = pressed ? "bookmark" : "unbookmark";
      toast(text("failed"));
    });
  });
}

/** Starts what belongs to the content of a unit; again after moving to another unit in place. */
function startUnit(root: ParentNode): void {
  startProblems(root);
  startCompletion(root);
  startBookmark(root);
}

// Content that another bundle has put into the unit.
document.addEventListener("stoa:unit-content", (event) => startProblems((event as CustomEvent<Element>).detail));

startMenus();
startTheme();
startSmallThings();
startUnit(document);
startNavigation(startUnit);
