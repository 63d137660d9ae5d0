// Builds web/dist: files named by the hash of their content, `manifest.json` from plain to hashed names, and a packed
// twin (`.gz`) of everything that shrinks, so that the server never compresses them again.
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = dirname(new URL(import.meta.url).pathname);
const dist = join(root, "dist");
const manifest = {};

await mkdir(dist, { recursive: true });
for (const name of await readdir(dist)) {
  if (name !== ".gitkeep") await rm(join(dist, name), { recursive: true });
}

// Nesting and light-dark() are left to the browser: all that we support have them.
const target = ["chrome123", "firefox120", "safari17.5"];
const shared = { bundle: true, minify: true, target, write: false, legalComments: "none", logLevel: "warning" };

async function emit(name, bytes) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 10);
  const dot = name.lastIndexOf(".");
  const hashed = `${name.slice(0, dot)}-${hash}${name.slice(dot)}`;
  manifest[name] = hashed;
  await writeFile(join(dist, hashed), bytes);
}

const bundles = [
  { name: "app.js", entry: "src/app.ts", format: "esm" },
  { name: "video.js", entry: "src/video.ts", format: "esm" },
  { name: "interactive.js", entry: "src/interactive.ts", format: "esm" },
  { name: "math.js", entry: "src/math.ts", format: "esm" },
  { name: "frame.js", entry: "src/frame.ts", format: "esm" },
  { name: "runtime.js", entry: "src/runtime.ts", format: "iife" },
  { name: "app.css", entry: "style/app.css" },
];
for (const { name, entry, format } of bundles) {
  const result = await build({ ...shared, entryPoints: [join(root, entry)], format });
  await emit(name, result.outputFiles[0].contents);
}
for (const name of ["icons.svg", "favicon.svg"]) await emit(name, await readFile(join(root, "style", name)));
await emit("hls.js", await readFile(join(root, "node_modules/hls.js/dist/hls.light.min.js")));

// MathJax finds its parts beside itself, so the folder carries the version and its files keep their names.
const mathjax = JSON.parse(await readFile(join(root, "node_modules/mathjax/package.json"), "utf8"));
const folder = `mathjax-${mathjax.version}`;
manifest.mathjax = folder;
const mathjaxParts = [
  ["node_modules/mathjax/tex-mml-chtml.js", "tex-mml-chtml.js"],
  ["node_modules/mathjax/a11y/assistive-mml.js", "a11y/assistive-mml.js"],
  ["node_modules/mathjax/input/tex/extensions", "input/tex/extensions"],
  ["node_modules/@mathjax/mathjax-newcm-font/chtml", "fonts/mathjax-newcm-font/chtml"],
  ["node_modules/@mathjax/mathjax-mhchem-font-extension/chtml.js", "fonts/mathjax-mhchem-font-extension/chtml.js"],
  ["node_modules/@mathjax/mathjax-mhchem-font-extension/chtml", "fonts/mathjax-mhchem-font-extension/chtml"],
  ["node_modules/mathjax/LICENSE", "LICENSE"],
];
for (const [from, to] of mathjaxParts) await cp(join(root, from), join(dist, folder, to), { recursive: true });

await writeFile(join(dist, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);

for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(js|css|svg|json)$/.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const bytes = await readFile(path);
  const packed = gzipSync(bytes, { level: 9 });
  const isShown = dirname(path) === dist && entry.name !== "manifest.json";
  if (isShown) console.log(relative(dist, path).padEnd(28), String(bytes.length).padStart(8), String(packed.length).padStart(8));
  if (bytes.length > 1024 && packed.length < bytes.length * 0.9 && entry.name !== "manifest.json") await writeFile(`${path}.gz`, packed);
}
