/**
 * What somebody typed outlives the end of their session: a form that leads to the sign-in is filled in again afterwards.
 *
 * It is kept in this tab alone, for half an hour, under the name of who typed it, and forgotten as soon as any other page
 * has answered. Passwords and what the page itself had filled in are never kept, and nothing is sent by itself.
 */

const KEPT_AS = "orderloom.draft";
const KEPT_MS = 30 * 60 * 1_000;
const SIGN_IN = "/sign-in";
const LINES_MAX = 50;
const NEVER = ["password", "hidden", "file", "submit", "button", "image", "reset"];

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
interface Draft {
  who: string;
  action: string;
  place: number;
  at: number;
  ledToSignIn: boolean;
  values: [name: string, value: string, checked: boolean][];
}

export function keepDrafts(): void {
  restore();
  document.addEventListener("submit", ({ target }) => {
    if (!(target instanceof HTMLFormElement) || target.method !== "post" || !whoIsHere()) return;
    const values = controls(target).map((each) => [each.name, each.value, isChecked(each)] as Draft["values"][number]);
    const draft: Draft = { who: whoIsHere(), action: pathOf(target), place: alike(target).indexOf(target), at: Date.now(), ledToSignIn: false, values };
    if (values.length > 0) write(draft);
    else forget();
  });
}

function restore(): void {
  const draft = read();
  if (!draft) return;
  if (location.pathname === SIGN_IN) return write({ ...draft, ledToSignIn: true });
  if (!whoIsHere()) return; // another page for everyone
  forget();
  if (!draft.ledToSignIn || draft.who !== whoIsHere() || Date.now() - draft.at > KEPT_MS) return;
  const forms = [...document.forms].filter((form) => form.method === "post" && pathOf(form) === draft.action);
  const form = forms[draft.place] ?? forms[0];
  if (form && fill(form, draft)) say(form);
}

/** Whether anything of it has found its place. */
function fill(form: HTMLFormElement, draft: Draft): boolean {
  grow(form, draft);
  const left = controls(form);
  for (const [name, value, checked] of draft.values) {
    const at = left.findIndex((each) => each.name === name && (!isChoice(each) || each.value === value));
    const found = left.splice(at, at < 0 ? 0 : 1)[0];
    if (!found) continue;
    if (isChoice(found)) (found as HTMLInputElement).checked = checked;
    else found.value = value;
    form.setAttribute("data-dirty", ""); // live changes leave it alone
  }
  return form.hasAttribute("data-dirty");
}

/** Lines of an order beyond those that the form begins with are made like its last one. */
function grow(form: HTMLFormElement, draft: Draft): void {
  const numbers = draft.values.map(([name]) => Number(/^lines\.(\d+)\./.exec(name)?.[1] ?? -1));
  const wanted = Math.min(Math.max(0, ...numbers) + 1, LINES_MAX);
  for (let count = form.querySelectorAll(".line").length; count > 0 && count < wanted; count++) {
    const last = form.querySelectorAll(".line")[count - 1]!;
    const next = last.cloneNode(true) as Element;
    for (const each of next.querySelectorAll("[name], [for]")) {
      for (const attribute of ["id", "name", "for"]) {
        const value = each.getAttribute(attribute)?.replace(/^lines\.\d+\./, `lines.${count}.`);
        if (value) each.setAttribute(attribute, value);
      }
    }
    const legend = next.querySelector("legend");
    if (legend) legend.textContent = (legend.textContent ?? "").replace(String(count), String(count + 1));
    last.after(next);
  }
}

function say(form: HTMLFormElement): void {
  for (let around = form.parentElement; around; around = around.parentElement) {
    if (around instanceof HTMLDetailsElement) around.open = true;
  }
  const notice = document.createElement("p");
  notice.id = "restored";
  notice.className = "notice";
  notice.dataset["state"] = "waiting";
  notice.dataset["keep"] = "";
  notice.setAttribute("role", "status");
  notice.textContent = document.body.dataset["restored"] ?? "";
  document.getElementById("main")?.prepend(notice);
  form.scrollIntoView({ block: "center" });
  controls(form)[0]?.focus({ preventScroll: true });
}

function controls(form: HTMLFormElement): Control[] {
  return [...form.querySelectorAll<Control>("input[name], textarea[name], select[name]")].filter((each) => !NEVER.includes(each.type));
}

function isChoice(control: Control): boolean {
  return control.type === "checkbox" || control.type === "radio";
}

function isChecked(control: Control): boolean {
  return isChoice(control) && (control as HTMLInputElement).checked;
}

function alike(form: HTMLFormElement): HTMLFormElement[] {
  return [...document.forms].filter((each) => each.method === "post" && pathOf(each) === pathOf(form));
}

/** A form may have a field of the name `action`. */
function pathOf(form: HTMLFormElement): string {
  return form.getAttribute("action") ?? location.pathname;
}

function whoIsHere(): string {
  return document.body.dataset["viewer"] ?? "";
}

function read(): Draft | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT_AS) ?? "null") as Draft | null;
  } catch {
    return null;
  }
}

function write(draft: Draft): void {
  try {
    sessionStorage.setItem(KEPT_AS, JSON.stringify(draft));
  } catch {
    // the browser keeps nothing, or no more: then this is not kept either
  }
}

function forget(): void {
  try {
    sessionStorage.removeItem(KEPT_AS);
  } catch {
    // as above
  }
}
