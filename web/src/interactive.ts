/**
 * Small interactive blocks, each over markup that the server makes (courseware.md §11, §12): conditional content, polls, surveys,
 * word clouds and the button by which learners say that they are done.
 */
import { announceContent, handlerUrl, post, postJson, runScripts, text, toast } from "./lib";

type Reply = Record<string, unknown>;

const started = new WeakSet<Element>();

function each(root: ParentNode, selector: string, start: (element: HTMLElement) => void): void {
  const found = [...root.querySelectorAll<HTMLElement>(selector)];
  if (root instanceof HTMLElement && root.matches(selector)) found.push(root);
  for (const element of found) {
    if (started.has(element)) continue;
    started.add(element);
    start(element);
  }
}

function failed(): void {
  toast(text("failed"));
}

/** Content that is shown once its sources are as it wants them; asked again whenever a problem was answered. */
function conditional(wrapper: HTMLElement): void {
  const url = `${wrapper.dataset["url"] ?? ""}/conditional_get`.replace("//conditional", "/conditional");
  let shown = "";
  const ask = async (): Promise<void> => {
    const reply = (await (await post(url, new URLSearchParams())).json()) as { fragments?: { content?: string }[] };
    const html = (reply.fragments ?? []).map((fragment) => fragment.content ?? "").join("");
    if (html === shown) return;
    shown = html;
    wrapper.innerHTML = html;
    runScripts(wrapper);
    document.dispatchEvent(new CustomEvent("stoa:unit-content", { detail: wrapper }));
    announceContent(wrapper);
  };
  void ask().catch(() => undefined);
  document.addEventListener("contentChanged", () => {
    if (wrapper.isConnected) void ask().catch(() => undefined);
  });
}

/** The older poll: its question and answers come as JSON. */
function pollQuestion(box: HTMLElement): void {
  const source = box.querySelector(".poll_question_div");
  const url = (box.dataset["ajaxUrl"] ?? "").replace(/\/$/, "");
  const data = JSON.parse(source?.textContent ?? "{}") as { question?: string; answers?: Record<string, string>; poll_answer?: string };
  const question = document.createElement("div");
  question.innerHTML = data.question ?? "";
  const list = document.createElement("ul");
  list.className = "u-plain l-stack l-stack--tight";
  const results = (reply: Reply) => {
    const total = Number(reply["total"]) || 0;
    const counts = (reply["poll_answers"] ?? {}) as Record<string, number>;
    for (const button of list.querySelectorAll("button")) {
      const count = counts[button.value] ?? 0;
      const share = total > 0 ? Math.round((100 * count) / total) : 0;
      button.setAttribute("aria-pressed", String(button.value === (reply["poll_answer"] ?? button.dataset["chosen"])));
      button.disabled = true;
      let bar = button.parentElement?.querySelector("span");
      if (!bar) {
        bar = document.createElement("span");
        bar.className = "u-num u-soft";
        button.after(" ", bar);
      }
      bar.textContent = `${share}% (${count})`;
    }
  };
  for (const [id, label] of Object.entries(data.answers ?? {})) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "s-btn";
    button.value = id;
    button.innerHTML = label;
    button.addEventListener("click", () => {
      post(`${url}/${encodeURIComponent(id)}`, new URLSearchParams())
        .then((response) => response.json())
        .then((reply: Reply) => results({ poll_answer: id, ...reply }))
        .catch(failed);
    });
    item.append(button);
    list.append(item);
  }
  box.replaceChildren(question, list);
  if (data.poll_answer) {
    post(`${url}/get_state`, new URLSearchParams())
      .then((response) => response.json())
      .then(results)
      .catch(() => undefined);
  }
}

/** Polls and surveys of the newer kind: a form whose vote goes to the handler `vote`. */
function ballot(box: HTMLElement): void {
  const form = box.querySelector("form");
  const submit = box.querySelector<HTMLButtonElement>("button.submit");
  if (!form || !submit) return;
  const isSurvey = box.querySelector(".survey-table") !== null;
  const names = () => new Set([...form.querySelectorAll<HTMLInputElement>('input[type="radio"]')].map((input) => input.name));
  const chosen = () => [...form.querySelectorAll<HTMLInputElement>('input[type="radio"]:checked')];
  const enable = () => {
    submit.disabled = box.dataset["canVote"] !== "1" || chosen().length < names().size;
  };
  form.addEventListener("change", enable);
  enable();
  const vote = async (): Promise<void> => {
    const choices = Object.fromEntries(chosen().map((input) => [input.name, input.value]));
    const reply = (await postJson(handlerUrl(box, "vote"), isSurvey ? choices : { choice: choices["choice"] })) as Reply;
    const errors = reply["errors"] as string[] | undefined;
    if (errors?.length) return toast(errors.join(" "));
    box.dataset["canVote"] = reply["can_vote"] ? "1" : "";
    for (const part of box.querySelectorAll(".poll-voting-thanks, .poll-feedback-container")) part.classList.remove("poll-hidden");
    const used = box.querySelector(".poll-current-count");
    const most = box.querySelector(".poll-max-submissions");
    if (used) used.textContent = String(reply["submissions_count"] ?? "");
    if (most) most.textContent = String(reply["max_submissions"] ?? "");
    enable();
  };
  submit.addEventListener("click", () => void vote().catch(failed));
}

/** Words of all learners, larger the more often they were sent. */
function wordCloud(box: HTMLElement): void {
  const url = (box.dataset["ajaxUrl"] ?? "").replace(/\/$/, "");
  const input = box.querySelector<HTMLElement>(".input_cloud_section");
  const result = box.querySelector<HTMLElement>(".result_cloud_section");
  const show = (reply: Reply) => {
    if (reply["status"] !== "success" || reply["submitted"] !== true) return;
    if (input) input.hidden = true;
    if (result) result.hidden = false;
    const put = (selector: string, words: string) => {
      const place = box.querySelector(selector);
      if (place) place.textContent = words;
    };
    put(".your_words", Object.keys((reply["student_words"] ?? {}) as object).join(", "));
    put(".total_num_words", String(reply["total_count"] ?? ""));
    const list = box.querySelector(".word_cloud_words");
    const words = (reply["top_words"] ?? []) as { text: string; size: number; percent: number }[];
    const largest = Math.max(1, ...words.map((word) => word.size));
    list?.replaceChildren(
      ...words.map((word) => {
        const item = document.createElement("li");
        item.style.fontSize = `${(0.875 + (1.25 * word.size) / largest).toFixed(2)}rem`;
        item.textContent = reply["display_student_percents"] ? `${word.text} ${word.percent}%` : word.text;
        return item;
      }),
    );
  };
  const ask = async (dispatch: string, body: URLSearchParams) => show((await (await post(`${url}/${dispatch}`, body)).json()) as Reply);
  box.querySelector("button.save")?.addEventListener("click", () => {
    const body = new URLSearchParams();
    for (const field of box.querySelectorAll<HTMLInputElement>(".input-cloud")) body.append("student_words[]", field.value);
    void ask("submit", body).catch(failed);
  });
  if (box.dataset["submitted"] === "true") void ask("get_state", new URLSearchParams()).catch(() => undefined);
}

/** The learner's own "done". */
function done(box: HTMLElement): void {
  const button = box.querySelector("button");
  button?.addEventListener("click", () => {
    const wanted = button.getAttribute("aria-pressed") !== "true";
    postJson(handlerUrl(box, "toggle_button"), { done: wanted })
      .then((reply) => {
        const state = (reply as { state?: boolean }).state ?? wanted;
        button.setAttribute("aria-pressed", String(state));
        box.classList.toggle("done_onoffswitch-checked", state);
        document.dispatchEvent(new CustomEvent("stoa:completed"));
      })
      .catch(failed);
  });
}

function start(root: ParentNode): void {
  each(root, ".conditional-wrapper[data-url]", conditional);
  each(root, ".poll_question[data-ajax-url]", pollQuestion);
  each(root, ".poll-block", ballot);
  each(root, ".word_cloud[data-ajax-url]", wordCloud);
  each(root, ".done_block", done);
}

start(document);
document.addEventListener("stoa:content", (event) => start((event as CustomEvent<Element>).detail));
