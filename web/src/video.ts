/**
 * Video: the browser's own player and a transcript list come from the server; this adds the bar, captions, a transcript
 * that follows, the saved position and completion (courseware.md §12.2).
 */
import { post, postJson, text } from "./lib";

interface Metadata {
  sources?: string[];
  streams?: string;
  poster?: string | null;
  speed?: number | string | null;
  generalSpeed?: number | string;
  start?: number;
  end?: number;
  savedVideoPosition?: number;
  saveStateEnabled?: boolean;
  saveStateUrl?: string;
  publishCompletionUrl?: string;
  completionEnabled?: boolean;
  completionPercentage?: number;
  showCaptions?: string;
  transcriptLanguage?: string;
  transcriptLanguages?: Record<string, string>;
  transcriptTranslationUrl?: string;
}

interface Line {
  start: number;
  text: string;
  button: HTMLButtonElement;
}

const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
const SAVE_EVERY = 10_000;

function start(root: ParentNode): void {
  for (const box of root.querySelectorAll<HTMLElement>("[data-metadata]")) {
    if (box.dataset["started"]) continue;
    box.dataset["started"] = "true";
    try {
      void new Player(box, JSON.parse(box.dataset["metadata"] ?? "{}") as Metadata).start();
    } catch {
      // Without readable settings the browser's own controls stay.
    }
  }
}

class Player {
  readonly #box: HTMLElement;
  readonly #data: Metadata;
  #video: HTMLVideoElement | null;
  #lines: Line[] = [];
  #caption = document.createElement("p");
  #saved = 0;
  #complete = false;

  constructor(box: HTMLElement, data: Metadata) {
    this.#box = box;
    this.#data = data;
    this.#video = box.querySelector("video");
  }

  async start(): Promise<void> {
    const stage = this.#stage();
    if (!this.#video) {
      const youtube = /1\.0+:([\w-]{6,20})/.exec(this.#data.streams ?? "")?.[1];
      if (youtube && !this.#data.sources?.length) return this.#frame(stage, youtube);
      this.#video = this.#create(stage);
    }
    const video = this.#video;
    if (!video) return;
    await this.#stream(video);
    this.#bar(video, stage);
    this.#follow(video);
    await this.#transcript(video);
  }

  #stage(): HTMLElement {
    const stage = this.#box.querySelector<HTMLElement>(".s-video__stage");
    if (stage) return stage;
    const made = element("div", { class: "s-video__stage" });
    const column = element("div", {});
    column.append(made);
    const inner = element("div", { class: "s-video__in" });
    inner.append(column);
    this.#box.classList.add("s-video");
    const downloads = this.#box.querySelector(".wrapper-downloads");
    this.#box.replaceChildren(inner);
    if (downloads) this.#box.after(downloads);
    return made;
  }

  #create(stage: HTMLElement): HTMLVideoElement | null {
    if (!this.#data.sources?.length) return null;
    const video = document.createElement("video");
    video.controls = true;
    video.preload = "metadata";
    video.playsInline = true;
    if (this.#data.poster) video.poster = this.#data.poster;
    for (const source of this.#data.sources) video.append(element("source", { src: source }));
    stage.append(video);
    return video;
  }

  #frame(stage: HTMLElement, id: string): void {
    const start = Math.floor(this.#data.start ?? 0);
    stage.append(element("iframe", { src: `https://www.youtube-nocookie.com/embed/${id}?start=${start}`, title: this.#name(), allow: "fullscreen; encrypted-media", allowfullscreen: "" }));
  }

  #name(): string {
    return this.#box.closest(".xblock")?.querySelector("h2, h3")?.textContent?.trim() || text("video_controls");
  }

  /** Streams in pieces (HLS) need a helper where the browser does not read them. */
  async #stream(video: HTMLVideoElement): Promise<void> {
    const sources = [...video.querySelectorAll("source")].map((source) => source.src);
    const list = sources.find((source) => /\.m3u8(\?|$)/.test(source));
    if (!list || video.canPlayType("application/vnd.apple.mpegurl") || sources.some((source) => /\.(mp4|webm)(\?|$)/.test(source))) return;
    const address = document.querySelector<HTMLElement>("[data-hls]")?.dataset["hls"];
    if (!address) return;
    await import(address).catch(() => undefined);
    const Hls = (window as unknown as { Hls?: new () => { loadSource(url: string): void; attachMedia(video: HTMLVideoElement): void } }).Hls;
    if (!Hls) return;
    const hls = new Hls();
    hls.loadSource(list);
    hls.attachMedia(video);
  }

  #bar(video: HTMLVideoElement, stage: HTMLElement): void {
    const bar = element("div", { class: "s-video__bar", role: "group", "aria-label": text("video_controls") });
    const play = button("play", text("play"));
    const time = element("span", { class: "u-num" });
    const position = element("input", { type: "range", min: "0", step: "1", value: "0", "aria-label": text("position") }) as HTMLInputElement;
    const speed = element("select", { "aria-label": text("speed") }) as HTMLSelectElement;
    for (const value of SPEEDS) speed.append(new Option(`${value}×`, String(value)));
    const mute = button("volume", text("mute"));
    const captions = button("captions", text("captions"));
    const list = button("list", text("transcript"));
    const full = button("expand", text("fullscreen"));
    bar.append(play, time, position, speed, mute, captions, list, full);
    stage.after(bar);
    this.#caption.className = "s-video__cap";
    this.#caption.hidden = true;
    stage.append(this.#caption);
    video.controls = false;
    video.tabIndex = -1;

    const total = () => (Number.isFinite(video.duration) ? video.duration : 0);
    const show = () => {
      position.max = String(Math.floor(total()));
      position.value = String(Math.floor(video.currentTime));
      position.setAttribute("aria-valuetext", `${clock(video.currentTime)} / ${clock(total())}`);
      time.textContent = `${clock(video.currentTime)} / ${clock(total())}`;
    };
    const toggle = () => void (video.paused ? video.play().catch(() => undefined) : video.pause());
    play.addEventListener("click", toggle);
    video.addEventListener("click", toggle);
    position.addEventListener("input", () => (video.currentTime = Number(position.value)));
    for (const name of ["timeupdate", "durationchange", "seeked", "loadedmetadata"]) video.addEventListener(name, show);
    for (const name of ["play", "pause"]) {
      video.addEventListener(name, () => play.setAttribute("aria-label", text(video.paused ? "play" : "pause")));
    }
    const wanted = Number(this.#data.speed ?? this.#data.generalSpeed ?? 1) || 1;
    video.playbackRate = wanted;
    speed.value = String(SPEEDS.includes(wanted) ? wanted : 1);
    speed.addEventListener("change", () => {
      video.playbackRate = Number(speed.value);
      this.#save({ speed: speed.value });
    });
    const setMuted = () => {
      video.muted = !video.muted;
      mute.setAttribute("aria-pressed", String(!video.muted));
    };
    mute.setAttribute("aria-pressed", "true");
    mute.addEventListener("click", setMuted);
    const setCaptions = (on: boolean) => {
      captions.setAttribute("aria-pressed", String(on));
      this.#caption.dataset["on"] = String(on);
      this.#caption.hidden = !on || !this.#caption.textContent;
    };
    captions.addEventListener("click", () => setCaptions(captions.getAttribute("aria-pressed") !== "true"));
    setCaptions(this.#data.showCaptions === "true");
    list.setAttribute("aria-pressed", "true");
    list.addEventListener("click", () => {
      const section = this.#box.querySelector<HTMLElement>(".s-transcript");
      if (!section) return;
      section.hidden = !section.hidden;
      list.setAttribute("aria-pressed", String(!section.hidden));
    });
    full.addEventListener("click", () => void (document.fullscreenElement ? document.exitFullscreen() : this.#box.requestFullscreen()));
    this.#box.addEventListener("keydown", (event) => {
      const typing = (event.target as Element).closest("select, input, textarea");
      const onButton = (event.target as Element).closest("button");
      const key = event.key.toLowerCase();
      if (typing && key !== "m" && key !== "c" && key !== "f") return;
      if (key === "k" || (key === " " && !onButton)) toggle();
      else if (key === "arrowleft") video.currentTime -= 5;
      else if (key === "arrowright") video.currentTime += 5;
      else if (key === "m") setMuted();
      else if (key === "c") captions.click();
      else if (key === "f") full.click();
      else return;
      event.preventDefault();
    });
    const from = Math.max(this.#data.savedVideoPosition ?? 0, this.#data.start ?? 0);
    if (from > 0) video.addEventListener("loadedmetadata", () => (video.currentTime = from), { once: true });
    show();
  }

  #follow(video: HTMLVideoElement): void {
    video.addEventListener("timeupdate", () => {
      const end = this.#data.end ?? 0;
      if (end > 0 && video.currentTime >= end) video.pause();
      const last = end > 0 ? end : video.duration;
      if (video.currentTime >= last * (this.#data.completionPercentage ?? 0.95)) void this.#publish();
      if (Date.now() - this.#saved > SAVE_EVERY && !video.paused) this.#savePosition(video);
      this.#highlight(video.currentTime);
    });
    video.addEventListener("pause", () => this.#savePosition(video));
    video.addEventListener("ended", () => void this.#publish());
  }

  async #publish(): Promise<void> {
    const url = this.#data.publishCompletionUrl;
    if (this.#complete || !url || this.#data.completionEnabled === false) return;
    this.#complete = true;
    try {
      await postJson(url, { completion: 1 });
      document.dispatchEvent(new CustomEvent("stoa:completed"));
    } catch {
      this.#complete = false;
    }
  }

  #savePosition(video: HTMLVideoElement): void {
    this.#saved = Date.now();
    const seconds = Math.floor(video.currentTime);
    const two = (value: number) => String(value).padStart(2, "0");
    this.#save({ saved_video_position: `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}` });
  }

  #save(state: Record<string, string>): void {
    if (!this.#data.saveStateUrl || this.#data.saveStateEnabled === false) return;
    post(this.#data.saveStateUrl, new URLSearchParams(state)).catch(() => undefined);
  }

  async #transcript(video: HTMLVideoElement): Promise<void> {
    let section = this.#box.querySelector<HTMLElement>(".s-transcript");
    const language = this.#data.transcriptLanguage ?? "en";
    if (!section) {
      const url = this.#data.transcriptTranslationUrl?.replace("__lang__", language);
      if (!url || Object.keys(this.#data.transcriptLanguages ?? {}).length === 0) return;
      const response = await fetch(url, { credentials: "same-origin" }).catch(() => null);
      if (!response?.ok) return;
      const data = (await response.json()) as { start: number[]; text: string[] };
      section = build(data, language);
      this.#box.querySelector(".s-video__in")?.append(section);
    }
    this.#lines = [...section.querySelectorAll<HTMLButtonElement>("li button")].map((line) => ({
      start: Number(line.dataset["start"]),
      text: line.querySelector("span")?.textContent ?? "",
      button: line,
    }));
    for (const line of this.#lines) {
      line.button.addEventListener("click", () => {
        video.currentTime = line.start;
        void video.play().catch(() => undefined);
      });
    }
  }

  #highlight(now: number): void {
    const current = this.#lines.findLast((line) => line.start <= now);
    for (const line of this.#lines) {
      const isCurrent = line === current;
      if (isCurrent === (line.button.getAttribute("aria-current") === "true")) continue;
      if (!isCurrent) {
        line.button.removeAttribute("aria-current");
        continue;
      }
      line.button.setAttribute("aria-current", "true");
      // Only the list moves, never the page under the reader.
      const list = line.button.closest("ol");
      if (list) list.scrollTop = line.button.offsetTop - list.offsetTop - list.clientHeight / 2;
    }
    this.#caption.textContent = current?.text ?? "";
    this.#caption.hidden = this.#caption.dataset["on"] !== "true" || !current;
  }
}

function build(data: { start: number[]; text: string[] }, language: string): HTMLElement {
  const section = element("section", { class: "s-transcript", "aria-label": text("transcript") });
  const header = element("header", {});
  const title = element("h4", {});
  title.textContent = text("transcript");
  header.append(title);
  const list = element("ol", { tabindex: "0", "aria-label": text("line_list"), lang: language });
  data.text.forEach((words, index) => {
    const seconds = (data.start[index] ?? 0) / 1000;
    const line = element("button", { type: "button", "data-start": String(seconds) });
    const time = element("time", { datetime: `PT${Math.floor(seconds)}S` });
    time.textContent = clock(seconds);
    const span = element("span", {});
    span.textContent = words;
    line.append(time, span);
    const item = element("li", {});
    item.append(line);
    list.append(item);
  });
  section.append(header, list);
  return section;
}

function element(name: string, attributes: Record<string, string>): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function button(icon: string, label: string): HTMLButtonElement {
  const made = element("button", { class: "s-btn s-btn--icon", type: "button", "aria-label": label }) as HTMLButtonElement;
  const sprite = (document.querySelector("use[href*='icons']")?.getAttribute("href") ?? "").replace(/#.*$/, "");
  made.innerHTML = `<svg class="s-icon" viewBox="0 0 24 24" aria-hidden="true"><use href="${sprite}#i-${icon}"/></svg>`;
  return made;
}

function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  const tail = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

start(document);
document.addEventListener("stoa:content", (event) => start((event as CustomEvent<Element>).detail));
