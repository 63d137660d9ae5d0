/** Menus are `<details name="menu">`; here they learn Escape, clicks outside and arrow keys. */
export function startMenus(): void {
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) {
      if (!menu.contains(event.target as Node)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = openMenus()[0];
    if (!menu) return;
    const summary = menu.querySelector("summary");
    if (event.key === "Escape") {
      menu.open = false;
      summary?.focus();
      return;
    }
    const items = [...menu.querySelectorAll<HTMLElement>("li a, li button")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const inside = at >= 0 || document.activeElement === summary;
    const next: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at < 0 ? items.length - 1 : at - 1, Home: 0, End: items.length - 1 };
    const index = next[event.key];
    if (!inside || index === undefined) return;
    event.preventDefault();
    items[(index + items.length) % items.length]?.focus();
  });
}

function openMenus(): HTMLDetailsElement[] {
  return [...document.querySelectorAll<HTMLDetailsElement>("details.s-menu[open]")];
}
