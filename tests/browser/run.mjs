// A learner's walk through a running server: sign in → outline → unit → answer → completion mark, at two widths, by day and
// by night, once without script; axe-core on every page; the weight of a unit page.
//
//   node run.mjs http://127.0.0.1:8000 USERNAME PASSWORD [COURSE_KEY]
//
// Pictures go to artifacts/ (STOA_ARTIFACTS). Ends with 1 if anything is wrong.
import { launch, open, overflow, picture, violations } from "./browser.mjs";

const [base, username, password, wantedCourse] = process.argv.slice(2);
if (!base || !username || !password) {
  console.error("usage: node run.mjs BASE_URL USERNAME PASSWORD [COURSE_KEY]");
  process.exit(2);
}
const BUDGET = 60 * 1024;
const problems = [];
const wrong = (where, what) => {
  problems.push(`${where}: ${what}`);
  console.log(`✗ ${where}: ${what}`);
};

async function look(page, where) {
  for (const violation of await violations(page)) wrong(where, violation);
  const wide = await overflow(page);
  if (wide > 0) wrong(where, `scrolls sideways by ${wide}`);
  await picture(page, where.replaceAll(" ", "-"));
}

async function signIn(page) {
  await page.goto("/login?next=/dashboard");
  await page.fill("#email_or_username", username);
  await page.fill("#password", password);
  await Promise.all([page.waitForURL(/\/dashboard/), page.click("main form button.s-btn--primary")]);
}

async function openCourse(page) {
  if (wantedCourse) await page.goto(`/learning/course/${wantedCourse}/home`);
  else {
    const card = page.locator(".s-card a.s-cover-link").first();
    if ((await card.count()) === 0) throw new Error("no course on the dashboard: name one as the last argument");
    await Promise.all([page.waitForURL(/\/learning\/course\//), card.click()]);
  }
}

/** Goes on from the first unit until one can be answered. */
async function findProblem(page) {
  const first = await page.evaluate(() => document.querySelector(".s-item a")?.href ?? null);
  if (!first) throw new Error("the outline has no open subsection");
  await page.goto(first);
  for (let step = 0; step < 60; step += 1) {
    const answerable = page.locator('.problems-wrapper:has(input[type="radio"], select, input[type="text"]:not([readonly]))');
    if ((await answerable.count()) > 0) return page.url();
    const next = await page.evaluate(() => document.querySelector('.s-turn a[rel="next"]')?.href ?? null);
    if (!next) break;
    await page.goto(next);
  }
  throw new Error("no unit with a question was found");
}

/** Gives some answer to every question of the first problem. */
async function answer(wrapper) {
  for (const group of await wrapper.locator(".choicegroup").all()) await group.locator("input").first().check();
  for (const select of await wrapper.locator("select").all()) {
    const values = await select.locator("option").evaluateAll((options) => options.map((option) => option.value));
    await select.selectOption(values[1] ?? values[0]);
  }
  for (const field of await wrapper.locator('input[type="text"]:visible').all()) await field.fill("1");
}

async function walk(browser, width, theme) {
  const name = `${width} ${theme}`;
  const context = await open(browser, { width, theme, base });
  const page = await context.newPage();
  page.on("pageerror", (error) => wrong(name, `script: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy/.test(message.text())) wrong(name, message.text().slice(0, 300));
  });
  await page.goto("/login");
  await look(page, `sign-in ${name}`);
  await signIn(page);
  await look(page, `dashboard ${name}`);
  await page.goto("/courses");
  await look(page, `catalog ${name}`);
  await page.goto("/dashboard");
  await openCourse(page);
  await look(page, `outline ${name}`);
  await findProblem(page);
  await look(page, `unit ${name}`);
  const wrapper = page.locator('.problems-wrapper:has(.submit)').first();
  await answer(wrapper);
  const submit = wrapper.locator("button.submit");
  if (await submit.isEnabled()) {
    await submit.click();
    await wrapper.locator(".notification-submit, .notification-gentle-alert:not(.is-hidden)").first().waitFor({ timeout: 15_000 });
  } else console.log(`  ${name}: no attempts left, nothing submitted`);
  await look(page, `answered ${name}`);

  // Everything else of the unit is read: then its mark must be full without loading the page again.
  for (const other of await page.locator(".problems-wrapper:has(.submit)").all()) {
    // A button stays off until there is an answer.
    if ((await other.locator(".notification-submit:visible").count()) > 0) continue;
    await answer(other);
    if (await other.locator("button.submit").isEnabled()) {
      await other.locator("button.submit").click();
      await page.waitForTimeout(500);
    }
  }
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  for (let y = 0; y <= height; y += 300) {
    await page.evaluate((top) => scrollTo(0, top), y);
    await page.waitForTimeout(60);
  }
  const hasVideo = (await page.locator(".s-video, [data-metadata]").count()) > 0;
  const done = page.locator('.s-seq a[aria-current="page"].s-seq--done');
  await done.waitFor({ timeout: 20_000 }).catch(() => {
    if (!hasVideo) wrong(name, "the unit's mark did not become full");
  });
  await look(page, `completed ${name}`);

  // Keyboard: the first stop is the skip link; `]` goes to the next unit and puts focus on its title.
  await page.reload();
  await page.keyboard.press("Tab");
  const skip = await page.evaluate(() => document.activeElement?.className);
  if (skip !== "s-skip") wrong(name, `the first stop of Tab is ${skip}`);
  const next = await page.evaluate(() => document.querySelector('.s-seq a[rel="next"]')?.href ?? null);
  if (next) {
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press("]");
    await page.waitForURL(next, { timeout: 10_000 }).catch(() => wrong(name, "] does not lead to the next unit"));
    await page.waitForLoadState();
    await look(page, `next-unit ${name}`);
  }
  await context.close();
}

/** Reading, answering and navigating as plain HTML. */
async function walkWithoutScript(browser) {
  const context = await open(browser, { width: 768, theme: "light", base, script: false });
  const page = await context.newPage();
  await signIn(page);
  await openCourse(page);
  const link = await page.locator(".s-item a").first().getAttribute("href");
  await page.goto(link);
  for (let step = 0; step < 60 && (await page.locator('[data-problem-form] button[value="problem_check"]').count()) === 0; step += 1) {
    const next = page.locator('.s-turn a[rel="next"]');
    if ((await next.count()) === 0) break;
    await page.goto(await next.getAttribute("href"));
  }
  const form = page.locator("[data-problem-form]").first();
  await answer(form);
  await Promise.all([page.waitForLoadState(), form.locator('button[value="problem_check"]').click()]);
  await page.waitForTimeout(500);
  if (!/\/learning\/course\//.test(page.url())) wrong("without script", `answering leads to ${page.url()}`);
  if ((await page.locator(".problems-wrapper").count()) === 0) wrong("without script", "the problem is gone after answering");
  await picture(page, "without-script");
  await context.close();
}

/** Bytes over the wire of our own HTML, CSS and JS on the first view of a unit page. */
async function weigh(browser) {
  const context = await open(browser, { width: 1280, theme: "light", base });
  const page = await context.newPage();
  await signIn(page);
  await openCourse(page);
  const url = await findProblem(page);
  const cookies = await context.cookies();
  await context.close();

  const fresh = await open(browser, { width: 1280, theme: "light", base });
  await fresh.addCookies(cookies);
  const first = await fresh.newPage();
  const session = await fresh.newCDPSession(first);
  await session.send("Network.enable");
  const kinds = new Map();
  let total = 0;
  const parts = [];
  session.on("Network.responseReceived", ({ requestId, response, type }) => kinds.set(requestId, { url: response.url, type }));
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const { url: address, type } = kinds.get(requestId) ?? {};
    const isOwn = address?.startsWith(base) && ["Document", "Stylesheet", "Script"].includes(type);
    // Formulas and the XBlock runtime load only where content needs them and are counted apart.
    if (!isOwn || /mathjax|\/runtime-|\/hls-/.test(address)) return;
    total += encodedDataLength;
    parts.push(`${new URL(address).pathname.split("/").pop().slice(-40)} ${encodedDataLength}`);
  });
  await first.goto(url, { waitUntil: "networkidle" });
  console.log(`unit page: ${total} bytes of our own HTML, CSS and JS (budget ${BUDGET}): ${parts.join(", ")}`);
  if (total > BUDGET) wrong("weight", `${total} bytes`);
  await fresh.close();
}

const browser = await launch();
const steps = [
  ...[360, 1280].flatMap((width) => ["light", "dark"].map((theme) => [`${width} ${theme}`, () => walk(browser, width, theme)])),
  ["without script", () => walkWithoutScript(browser)],
  ["weight", () => weigh(browser)],
];
for (const [name, step] of steps) {
  try {
    await step();
    console.log(`· ${name}`);
  } catch (error) {
    wrong(name, error.message.split("\n")[0]);
  }
}
await browser.close();
console.log(problems.length === 0 ? "all well" : `${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
