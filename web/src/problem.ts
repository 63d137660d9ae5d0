/**
 * Problems: what Open edX's own display script does (capa.md §11, "Client contract"), over markup that works as a plain
 * form without it.
 */
import { refreshUnit } from "./completion";
import { askFrames, openFrames } from "./jsinput";
import { announceContent, handlerUrl, post, runScripts, text } from "./lib";

type Reply = Record<string, unknown>;

const POLL_FIRST = 1_000;
const POLL_LAST = 60_000;
const SLOW = 8_000;
const PREVIEW_PAUSE = 400;

/** Starts the problems of a unit. */
export function startProblems(root: ParentNode): void {
  for (const wrapper of root.querySelectorAll<HTMLElement>(".problems-wrapper")) new Problem(wrapper).start();
}

class Problem {
  readonly #root: HTMLElement;
  readonly #url: string;
  readonly #id: string;
  #busy = false;
  #previewTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#url = root.dataset["url"] ?? handlerUrl(root, "xmodule_handler");
    this.#id = root.id.replace(/^problem_/, "");
  }

  start(): void {
    const content = this.#root.dataset["content"];
    if (content !== undefined && !this.#root.querySelector(".problem")) this.#root.innerHTML = content;
    this.#root.closest("form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#check();
    });
    this.#root.addEventListener("click", (event) => this.#click(event));
    this.#root.addEventListener("input", (event) => {
      this.#enable();
      this.#preview(event.target as HTMLInputElement);
    });
    this.#root.addEventListener("change", () => this.#enable());
    this.#bind();
    this.#poll(POLL_FIRST);
  }

  #find<T extends HTMLElement>(selector: string): T | null {
    return this.#root.querySelector<T>(selector);
  }

  #click(event: Event): void {
    const target = event.target as Element;
    const button = target.closest("button");
    if (!button) {
      const picture = target.closest<HTMLElement>('[id^="imageinput_"]');
      if (picture) this.#point(picture, event as MouseEvent);
      return;
    }
    if (button.classList.contains("submit")) void this.#check();
    else if (button.classList.contains("save")) void this.#save();
    else if (button.classList.contains("reset")) void this.#reset();
    else if (button.classList.contains("show")) void this.#show();
    else if (button.classList.contains("hint-button")) void this.#hint();
    else if (button.classList.contains("review-btn")) this.#find(".problem-header")?.focus();
  }

  /** Sets up freshly rendered content. */
  #bind(): void {
    this.#progress();
    this.#enable();
    openFrames(this.#root);
    announceContent(this.#root);
  }

  #fields(): HTMLElement[] {
    return [...this.#root.querySelectorAll<HTMLElement>("[id]")].filter((element) => element.id.startsWith(`input_${this.#id}_`));
  }

  #body(): BodyInit {
    const files = [...this.#root.querySelectorAll<HTMLInputElement>('input[type="file"]')];
    if (files.length > 0) {
      const form = new FormData();
      for (const field of this.#fields()) {
        if (field instanceof HTMLInputElement && field.type === "file") {
          for (const file of field.files ?? []) form.append(field.id, file);
          if (!field.files?.length) form.append(field.id, "");
        } else if (isChosen(field)) form.append(field.id, field.value);
      }
      return form;
    }
    const form = new URLSearchParams();
    for (const field of this.#fields()) {
      if (!isChosen(field) || !field.name) continue;
      if (field instanceof HTMLSelectElement && field.multiple) {
        for (const option of field.selectedOptions) form.append(field.name, option.value);
      } else form.append(field.name, field.value);
    }
    return form;
  }

  /** Submit is possible once every question has some answer. */
  #enable(): void {
    const submit = this.#find<HTMLButtonElement>(".submit");
    if (!submit || this.#busy) return;
    const visible = [...this.#root.querySelectorAll<HTMLInputElement>('.problem input[type="text"]')].filter((field) => field.offsetParent !== null);
    const hasText = visible.length === 0 || visible.some((field) => field.value !== "");
    const hasChoice = [...this.#root.querySelectorAll(".choicegroup")].every((group) => group.querySelector("input:checked") !== null);
    const hasOption = [...this.#root.querySelectorAll<HTMLSelectElement>("select")].every((select) => !/_dummy_default$/.test(select.value));
    const allowed = submit.dataset["shouldEnableSubmitButton"] !== "False";
    submit.disabled = !(allowed && hasText && hasChoice && hasOption);
  }

  async #send(dispatch: string, body: BodyInit): Promise<Reply | null> {
    const slow = setTimeout(() => this.#alert(text("still_trying")), SLOW);
    try {
      const response = await post(`${this.#url}/${dispatch}`, body);
      this.#alert("");
      return (await response.json()) as Reply;
    } catch {
      this.#alert(text(navigator.onLine ? "failed" : "offline"));
      return null;
    } finally {
      clearTimeout(slow);
    }
  }

  async #check(): Promise<void> {
    const submit = this.#find<HTMLButtonElement>(".submit");
    if (!submit || submit.disabled || this.#busy) return;
    this.#busy = true;
    const label = submit.querySelector(".submit-label");
    const before = label?.textContent ?? "";
    submit.setAttribute("aria-busy", "true");
    submit.disabled = true;
    if (label) label.textContent = text("submitting");
    await askFrames(this.#root);
    const reply = await this.#send("problem_check", this.#body());
    this.#busy = false;
    submit.removeAttribute("aria-busy");
    if (label) label.textContent = before;
    const success = String(reply?.["success"] ?? "");
    if (["submitted", "incorrect", "correct"].includes(success)) {
      this.#replace(String(reply?.["contents"] ?? ""), reply);
      this.#find(".notification-submit")?.focus();
      void refreshUnit().catch(() => undefined);
    } else {
      this.#enable();
      if (reply) this.#alert(success);
    }
  }

  async #save(): Promise<void> {
    await askFrames(this.#root);
    const reply = await this.#send("problem_save", this.#body());
    if (!reply) return;
    if (!reply["success"]) return this.#alert(String(reply["msg"] ?? ""));
    if (typeof reply["html"] === "string") this.#replace(reply["html"], reply);
    this.#notice(".notification-save", String(reply["msg"] ?? ""));
  }

  async #reset(): Promise<void> {
    const reply = await this.#send("problem_reset", new URLSearchParams({ id: this.#root.dataset["problemId"] ?? "" }));
    if (!reply) return;
    if (reply["success"] !== true) return this.#alert(String(reply["msg"] ?? reply["success"] ?? ""));
    this.#replace(String(reply["html"] ?? ""), reply);
    this.#find(".problem-header")?.focus();
  }

  async #show(): Promise<void> {
    const reply = await this.#send("problem_show", new URLSearchParams());
    if (!reply) return;
    const answers = reply["answers"];
    if (typeof answers !== "object" || answers === null) return this.#alert(String(reply["success"] ?? ""));
    const status = String(reply["correct_status_html"] ?? "");
    for (const [key, value] of Object.entries(answers as Record<string, unknown>)) {
      if (Array.isArray(value)) this.#showChoices(key, value.map(String), status);
      else if (typeof value === "string") {
        for (const id of [`answer_${key}`, `solution_${key}`]) {
          const place = this.#root.querySelector(`#${CSS.escape(id)}`);
          if (place) place.innerHTML = value;
        }
      }
    }
    const button = this.#find<HTMLButtonElement>("button.show");
    if (button) button.disabled = true;
    this.#notice(".notification-show-answer", text("answers_shown"));
    announceContent(this.#root);
  }

  #showChoices(key: string, values: string[], status: string): void {
    for (const value of values) {
      const label = this.#root.querySelector(`label[for="${CSS.escape(`input_${key}_${value}`)}"]`);
      if (!label) {
        this.#root.querySelector(`section#${CSS.escape(`forinput${value}`)}`)?.classList.add("choicetextgroup_show_correct");
        continue;
      }
      label.classList.remove("choicegroup_incorrect");
      label.classList.add("choicegroup_correct");
      label.insertAdjacentHTML("beforeend", status);
    }
  }

  async #hint(): Promise<void> {
    const place = this.#find(".problem-hint");
    if (!place) return;
    const index = Number(place.getAttribute("hint_index") ?? -1) + 1;
    const reply = await this.#send("hint_button", new URLSearchParams({ hint_index: String(index), input_id: this.#id }));
    if (reply?.["success"] !== true) return this.#alert(String(reply?.["success"] ?? ""));
    place.setAttribute("hint_index", String(reply["hint_index"]));
    const notice = place.querySelector<HTMLElement>(".notification-hint");
    const message = notice?.querySelector(".notification-message");
    if (notice && message) {
      message.innerHTML = String(reply["msg"] ?? "");
      notice.classList.remove("is-hidden");
      notice.focus();
    }
    const next = notice?.querySelector<HTMLButtonElement>(".hint-button");
    if (next) next.hidden = reply["should_enable_next_hint"] !== true;
    announceContent(place);
  }

  #replace(html: string, reply: Reply | null): void {
    for (const [name, key] of Object.entries({ problemScore: "current_score", problemTotalPossible: "total_possible", attemptsUsed: "attempts_used" })) {
      if (reply && key in reply) this.#root.dataset[name] = String(reply[key]);
    }
    this.#root.innerHTML = html;
    runScripts(this.#root);
    this.#bind();
    const details = [this.#root.dataset["problemId"], html, reply];
    this.#root.dispatchEvent(new CustomEvent("contentChanged", { bubbles: true, detail: details }));
    this.#poll(POLL_FIRST);
  }

  /** The words under the title. */
  #progress(): void {
    const place = this.#find(".problem-progress");
    if (!place) return;
    const { problemScore: score, problemTotalPossible: total, attemptsUsed: attempts, graded: mark } = this.#root.dataset;
    const possible = Number(total);
    const graded = text(mark === "True" && possible !== 0 ? "graded" : "ungraded");
    const shown = { earned: short(Number(score)), possible: short(possible), graded };
    const one = possible === 1;
    if (score === undefined || score === "None" || score === "null") place.textContent = text("results_hidden", shown);
    else if (Number(attempts) === 0 && Number(score) === 0) place.textContent = text(one ? "point_possible" : "points_possible", shown);
    else place.textContent = text(one ? "point" : "points", shown);
  }

  #alert(message: string): void {
    this.#notice(".notification-gentle-alert", message);
  }

  #notice(selector: string, message: string): void {
    const notice = this.#find(selector);
    const place = notice?.querySelector(".notification-message");
    if (!notice || !place) return;
    notice.classList.toggle("is-hidden", message === "");
    place.textContent = message;
    if (message) notice.focus();
  }

  /** Shows how a formula is read while it is typed. */
  #preview(field: HTMLInputElement): void {
    const box = field.closest<HTMLElement>(".formulaequationinput, .chemicalequationinput");
    const place = box?.querySelector<HTMLElement>(".equation");
    if (!box || !place) return;
    clearTimeout(this.#previewTimer);
    this.#previewTimer = setTimeout(() => {
      const isChemistry = box.classList.contains("chemicalequationinput");
      const asked = String(Date.now());
      const body = new URLSearchParams({
        input_id: field.dataset["inputId"] ?? "",
        dispatch: isChemistry ? "preview_chemcalc" : "preview_formcalc",
        formula: field.value,
        request_start: asked,
      });
      post(`${this.#url}/input_ajax`, body)
        .then((response) => response.json())
        .then((reply: Reply) => {
          const shown = String(reply["preview"] ?? "");
          place.toggleAttribute("data-error", !shown && Boolean(reply["error"]));
          if (isChemistry) place.innerHTML = shown;
          else place.textContent = shown ? `\\(${shown}\\)` : String(reply["error"] ?? "");
          announceContent(place);
        })
        .catch(() => undefined);
    }, PREVIEW_PAUSE);
  }

  /** A click into a picture is the answer; the cross follows. */
  #point(picture: HTMLElement, event: MouseEvent): void {
    const id = picture.id.replace(/^imageinput_/, "");
    const field = this.#root.querySelector<HTMLInputElement>(`#${CSS.escape(`input_${id}`)}`);
    const box = picture.getBoundingClientRect();
    const [x, y] = [Math.round(event.clientX - box.left), Math.round(event.clientY - box.top)];
    const cross = this.#root.querySelector<HTMLElement>(`#${CSS.escape(`cross_${id}`)}`);
    if (field) field.value = `[${x},${y}]`;
    if (cross) {
      cross.style.insetInlineStart = "auto";
      cross.style.left = `${x - 15}px`;
      cross.style.top = `${y - 15}px`;
      cross.style.visibility = "visible";
    }
    this.#enable();
  }

  /** Asks again while an external grader is at work. */
  #poll(delay: number): void {
    const waiting = this.#root.querySelectorAll(".xqueue").length;
    if (waiting === 0 || delay > POLL_LAST) return;
    setTimeout(() => {
      void this.#send("problem_get", new URLSearchParams()).then((reply) => {
        const html = typeof reply?.["html"] === "string" ? reply["html"] : "";
        const fresh = document.createElement("template");
        fresh.innerHTML = html;
        if (html && fresh.content.querySelectorAll(".xqueue").length !== waiting) this.#replace(html, reply);
        else this.#poll(delay * 2);
      });
    }, delay);
  }
}

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

function isChosen(element: HTMLElement): element is Field {
  if (element instanceof HTMLInputElement) return !["checkbox", "radio"].includes(element.type) || element.checked;
  return element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement;
}

/** At most two places, without trailing zeros. */
function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
