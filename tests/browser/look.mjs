// Shows rendered samples of templates: `node look.mjs FOLDER [NAME-PART…]`, with FOLDER written by
// `STOA_WRITE_PAGES=FOLDER cargo test -p lms every_template`. Prints what axe finds and what scrolls sideways.
import { createServer } from "node:http";
import { readFile, readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { launch, open, overflow, picture, violations } from "./browser.mjs";

const [folder, ...parts] = process.argv.slice(2);
const dist = new URL("../../web/dist/", import.meta.url).pathname;
const types = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

const server = createServer(async (request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://x").pathname);
  const file = path.startsWith("/static/stoa/") ? join(dist, path.slice(13)) : join(folder, path);
  try {
    const bytes = await readFile(file);
    response.writeHead(200, { "Content-Type": types[extname(file)] ?? "application/octet-stream" });
    response.end(bytes);
  } catch {
    response.writeHead(404);
    response.end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const base = `http://127.0.0.1:${server.address().port}`;
const names = (await readdir(folder)).filter((name) => name.endsWith(".html") && !name.startsWith("logout-1") && !name.startsWith("logout-0") && (parts.length === 0 || parts.some((part) => name.includes(part))));
const browser = await launch();
let found = 0;
for (const width of (process.env.WIDTHS ?? "360,768,1280").split(",").map(Number)) {
  for (const theme of (process.env.THEMES ?? "light,dark").split(",")) {
    const context = await open(browser, { width, theme, base });
    const page = await context.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    for (const name of names) {
      await page.goto(`/${name}`, { waitUntil: "load" });
      await page.waitForTimeout(Number(process.env.WAIT ?? 100));
      const problems = [...(await violations(page)), ...errors.splice(0)];
      const wide = await overflow(page);
      if (wide > 0) problems.push(`scrolls sideways by ${wide}`);
      if (problems.length > 0) console.log(`${name} ${width} ${theme}\n  ${problems.join("\n  ")}`);
      found += problems.length;
      if (process.env.PICTURES !== "no") await picture(page, `${name.replace(".html", "")}-${width}-${theme}`);
    }
    await context.close();
  }
}
await browser.close();
server.close();
console.log(`${names.length} pages, ${found} problems`);
process.exitCode = found > 0 ? 1 : 0;
