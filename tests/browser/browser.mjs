// What both scripts share: a browser, the accessibility check, a place for pictures.
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const axeSource = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

export const artifacts = process.env.STOA_ARTIFACTS ?? join(process.cwd(), "artifacts");

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

export async function open(browser, { width, theme, rtl = false, script = true, base }) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: theme,
    reducedMotion: "reduce",
    javaScriptEnabled: script,
    locale: rtl ? "ar" : "en",
    baseURL: base,
    bypassCSP: false,
  });
  return context;
}

/** Violations of WCAG 2.2 A and AA on the page, in one line each. */
export async function violations(page) {
  // Evaluated through the protocol, so that the page's own content security policy stays in force.
  await page.evaluate(axeSource);
  const result = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }, resultTypes: ["violations"], preload: false }),
  );
  return result.violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map((node) => node.target.join(" ")).slice(0, 3).join(" · ")}: ${nodes[0].failureSummary?.replace(/\s+/g, " ").slice(0, 200)}`);
}

/** Whether something makes the page scroll sideways. */
export async function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

export async function picture(page, name) {
  await mkdir(artifacts, { recursive: true });
  await page.screenshot({ path: join(artifacts, `${name}.png`), fullPage: true });
}
