// Recomputes the contrast of every allowed pair of tokens by WCAG 2.2's formula, by day and by night.
import { readFile } from "node:fs/promises";

const css = await readFile(new URL("./style/tokens.css", import.meta.url), "utf8");
const tokens = new Map();
for (const [, name, value] of css.matchAll(/--([a-z-]+):\s*([^;]+);/g)) {
  const pair = /^light-dark\((#[0-9a-f]+),\s*(#[0-9a-f]+)\)$/i.exec(value.trim());
  if (pair && !tokens.has(name)) tokens.set(name, [pair[1], pair[2]]);
}

function luminance(hex) {
  const long = hex.length === 4 ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex;
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(long.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, two) {
  const [light, dark] = [luminance(one), luminance(two)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

// Ink, the surfaces it may stand on, the least ratio: 7 for text to be read at length, 4.5 for other text, 3 for lines that mean something.
const rules = [
  ["text", ["page", "panel", "sunken", "highlight", "accent-soft", "ok-soft", "bad-soft", "warn-soft"], 7],
  ["soft", ["page", "panel"], 7],
  ["soft", ["sunken", "accent-soft"], 4.5],
  ["accent", ["page", "panel", "sunken", "accent-soft"], 4.5],
  ["accent-strong", ["page", "accent-soft"], 4.5],
  ["on-accent", ["accent", "accent-strong"], 4.5],
  ["ok", ["page", "ok-soft"], 4.5],
  ["bad", ["page", "bad-soft"], 4.5],
  ["warn", ["page", "warn-soft"], 4.5],
  ["edge", ["page", "panel", "sunken"], 3],
  ["focus", ["page", "panel", "sunken"], 3],
];
let low = 0;
for (const [ink, surfaces, least] of rules) {
  for (const surface of surfaces) {
    for (const night of [0, 1]) {
      const [a, b] = [tokens.get(ink)?.[night], tokens.get(surface)?.[night]];
      const ratio = a && b ? contrast(a, b) : 0;
      if (ratio < least) {
        low += 1;
        console.error(`${ink} on ${surface} by ${night ? "night" : "day"}: ${ratio.toFixed(2)}, least ${least}`);
      }
    }
  }
}
process.exitCode = low > 0 ? 1 : 0;
