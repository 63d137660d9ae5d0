/** Formulas: MathJax, loaded only by pages that have some. Delimiters are those of capa.md §4.1. */

interface MathJaxGlobal {
  startup?: { promise?: Promise<void> };
  typesetPromise?: (elements: Element[]) => Promise<void>;
  typesetClear?: (elements: Element[]) => void;
}

export {};

declare global {
  interface Window {
    MathJax?: unknown;
  }
}

const own = document.querySelector<HTMLScriptElement>("script[data-mathjax]");
const base = new URL(own?.dataset["mathjax"] ?? "/static/stoa/mathjax", location.href).href;

window.MathJax = {
  // Everything comes from our own server, fonts and rarely used parts too.
  loader: { load: ["a11y/assistive-mml"], paths: { mathjax: base, fonts: `${base}/fonts` } },
  tex: {
    inlineMath: [["\\(", "\\)"], ["[mathjaxinline]", "[/mathjaxinline]"]],
    displayMath: [["\\[", "\\]"], ["[mathjax]", "[/mathjax]"]],
  },
  // Speech is made in the browser by a large second program; MathML beside each formula serves screen readers as well.
  options: {
    enableMenu: false,
    enableAssistiveMml: true,
    menuOptions: { settings: { assistiveMml: true, enrich: false, speech: false, braille: false, collapsible: false } },
  },
  startup: { elements: [document.getElementById("main") ?? document.body] },
};

const script = document.createElement("script");
script.src = `${base}/tex-mml-chtml.js`;
script.async = true;
document.head.append(script);

// Typesetting runs one after the other: two at once on one page trip MathJax.
let queue: Promise<unknown> = Promise.resolve();

document.addEventListener("stoa:content", (event) => {
  const root = (event as CustomEvent<Element>).detail;
  const mathJax = () => window.MathJax as MathJaxGlobal;
  queue = queue
    .then(() => mathJax().startup?.promise)
    .then(() => (root.isConnected ? mathJax().typesetPromise?.([root]) : undefined))
    .catch(() => undefined);
});
