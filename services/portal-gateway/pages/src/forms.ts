/** A form that somebody is filling in is left alone by what happens elsewhere, and is sent once. */

export const BEING_FILLED_IN = "form[data-dirty]";

export function guardForms(): void {
  document.addEventListener("input", ({ target }) => formOf(target)?.setAttribute("data-dirty", ""));
  document.addEventListener("reset", ({ target }) => formOf(target)?.removeAttribute("data-dirty"));
  document.addEventListener("submit", (event) => {
    const form = formOf(event.target);
    if (!form) return;
    if (form.getAttribute("aria-busy") === "true") return event.preventDefault();
    form.removeAttribute("data-dirty");
    if (form.method === "post") form.setAttribute("aria-busy", "true");
  });
  for (const after of ["htmx:afterRequest", "pageshow"]) {
    window.addEventListener(after, () => {
      for (const form of document.querySelectorAll("form[aria-busy]")) form.removeAttribute("aria-busy");
    });
  }
  document.addEventListener("htmx:afterSettle", () => document.querySelector<HTMLElement>(".wrongs")?.focus());
}

function formOf(target: EventTarget | null): HTMLFormElement | null {
  return target instanceof Element ? target.closest("form") : null;
}
