/** Keys for those who do not leave the keyboard. Off while somebody types, and for good where they are switched off. */

const SWITCHED_OFF = "orderloom.keys";
const PAUSE_MS = 1_200;

let first = "";
let firstAt = 0;

export function listenForKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isOff()) return;
    const both = Date.now() - firstAt < PAUSE_MS ? `${first} ${event.key}` : "";
    first = event.key;
    firstAt = Date.now();
    if (act(both) || act(event.key)) event.preventDefault();
  });
  document.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.dataset["switch"] !== "keys") return;
    localStorage.setItem(SWITCHED_OFF, target.checked ? "on" : "off");
  });
  for (const box of document.querySelectorAll<HTMLInputElement>("input[data-switch=keys]")) box.checked = !isOff();
}

function act(keys: string): boolean {
  if (!keys) return false;
  if (keys === "j" || keys === "k") return move(keys === "j" ? 1 : -1);
  const within = document.querySelector("[data-row]:focus-within, details[open][data-row]") ?? document;
  const wanted = `[data-key="${CSS.escape(keys)}"]`;
  const found = within.querySelector<HTMLElement>(wanted) ?? document.querySelector<HTMLElement>(wanted);
  if (!found) return false;
  if (found instanceof HTMLInputElement) found.focus();
  else found.click();
  return true;
}

function move(by: number): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  if (rows.length === 0) return false;
  const present = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.min(Math.max(present + by, 0), rows.length - 1)];
  next?.querySelector<HTMLElement>("a, summary, button")?.focus();
  return true;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, select, textarea"));
}

function isOff(): boolean {
  return localStorage.getItem(SWITCHED_OFF) === "off";
}
