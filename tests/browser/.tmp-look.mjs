import { launch, open, overflow, violations } from "./browser.mjs";
const [base, out, ...paths] = process.argv.slice(2);
const browser = await launch();
for (const [width, theme] of [[1280,"light"],[360,"dark"]]) {
  const c = await open(browser, { width, theme, base });
  const p = await c.newPage();
  p.on("pageerror", e => console.log("pageerror", e.message));
  p.on("console", m => m.type()==="error" && console.log("console", m.text().slice(0,300)));
  const shot = async (name) => { for (const v of await violations(p)) console.log(name, width, v); const o = await overflow(p); if (o>0) console.log(name, width, "overflow", o); await p.screenshot({path: `${out}/${name}-${width}.png`, fullPage: true}); };
  await p.goto("/login"); await shot("login");
  await p.fill("#email_or_username", process.env.WHO ?? "ada@example.com"); await p.fill("#password", "wrong"); await p.click("main form button.s-btn--primary"); await p.waitForLoadState(); await shot("login-wrong");
  await p.fill("#email_or_username", process.env.WHO ?? "ada@example.com"); await p.fill("#password", "stoa-demo"); await Promise.all([p.waitForURL(/dashboard/), p.click("main form button.s-btn--primary")]);
  let i = 0;
  for (const path of paths) { const r = await p.goto(path); console.log(path, r.status(), p.url()); await shot(`p${i++}`); }
  await c.close();
}
await browser.close();
