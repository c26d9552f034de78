/**
 * What anyone changes appears here. The stream names the orders that changed; the page is fetched again as it now is,
 * and what differs is changed in place, so that focus, scroll and half-filled forms stay.
 */
import htmx from "htmx.org";
import { Idiomorph } from "idiomorph";
import { BEING_FILLED_IN } from "./forms";

const SILENT_MS = 5_000;
const LOST_MS = 60_000;
const GAP_MS = 400;
const GAP_MAX_MS = 8_000;
/** Of a page that is fetched again and again: the busier the house, the less often. */
let gap = GAP_MS;
let refreshedAt = 0;
const EVERYTHING = "*";

type Connection = "on" | "reconnecting" | "off";

let stream: EventSource | null = null;
let heardAt = 0;
let refreshing: Promise<void> | null = null;
let again = false;

export function stayLive(): void {
  const address = document.body.dataset["events"];
  if (!address) return;
  stream = new EventSource(address);
  heardAt = Date.now();
  stream.addEventListener("open", opened);
  stream.addEventListener("beat", heard);
  stream.addEventListener("orders", (event) => {
    heard();
    changed(JSON.parse((event as MessageEvent<string>).data) as string[]);
  });
  setInterval(watch, 1_000);
  window.addEventListener("pagehide", () => stream?.close());
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload(); // from the memory of the browser: as it was, not as it is
  });
}

let wasOpen = false;

function opened(): void {
  if (!wasOpen) show("on"); // the page has just come: it is as it is
  wasOpen = true;
  heard();
}

function heard(): void {
  heardAt = Date.now();
  if (connection() !== "on") {
    show("on");
    void refresh(); // whatever happened meanwhile
  }
}

function watch(): void {
  const silent = Date.now() - heardAt;
  if (stream?.readyState === EventSource.CLOSED || silent > LOST_MS) show("off");
  else if (silent > SILENT_MS) show("reconnecting");
}

function changed(orders: string[]): void {
  const main = document.getElementById("main");
  const concerns = main?.dataset["live"];
  const isConcerned = (order: string) => order === EVERYTHING || order === concerns || shown(order);
  if (concerns === "all" || orders.some(isConcerned)) void refresh();
  const fresh = document.querySelector<HTMLElement>("[data-count-new]");
  if (fresh) countNew(fresh, orders.filter((order) => order !== EVERYTHING && !shown(order)));
}

function shown(order: string): boolean {
  return document.querySelector(`[data-order="${CSS.escape(order)}"]`) !== null;
}

const unseen = new Set<string>();

/** A list that is being read is not reordered: it says how many are new, and the reader pulls. */
function countNew(place: HTMLElement, orders: string[]): void {
  for (const order of orders) unseen.add(order);
  if (unseen.size === 0) return;
  place.hidden = false;
  const text = unseen.size === 1 ? place.dataset["one"] : place.dataset["many"];
  (place.querySelector("a") ?? place).textContent = (text ?? "").replace("%", String(unseen.size));
}

function refresh(): Promise<void> {
  if (refreshing) {
    again = true;
    return refreshing;
  }
  gap = Date.now() - refreshedAt < 2 * gap ? Math.min(2 * gap, GAP_MAX_MS) : GAP_MS;
  refreshing = fetchAndMorph().finally(() => {
    refreshedAt = Date.now();
    setTimeout(() => {
      refreshing = null;
      if (again) {
        again = false;
        void refresh();
      }
    }, gap);
  });
  return refreshing;
}

async function fetchAndMorph(): Promise<void> {
  const here = new URL(location.href);
  for (const once of ["said", "after"]) here.searchParams.delete(once);
  let answer: Response;
  try {
    answer = await fetch(here);
  } catch {
    return show("reconnecting");
  }
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const selector of [".masthead nav", ...parts()]) {
    const old = document.querySelector(selector);
    const fresh = page.querySelector(selector);
    if (old && fresh) morph(old, fresh);
  }
}

/** The whole page; of a list that is read, its rows where they stand. */
function parts(): string[] {
  if (document.getElementById("main")?.dataset["live"] !== "listed") return ["#main"];
  const rows = document.querySelectorAll<HTMLElement>("#main [data-order]");
  return [...rows].map((row) => `#main [data-order="${CSS.escape(row.dataset["order"] ?? "")}"]`);
}

function morph(old: Element, fresh: Element): void {
  Idiomorph.morph(old, fresh, {
    ignoreActiveValue: true,
    callbacks: {
      beforeNodeMorphed: (node) => !(node instanceof Element && node.closest(`${BEING_FILLED_IN}, dialog[open]`)),
      beforeNodeRemoved: (node) => !(node instanceof HTMLElement && "keep" in node.dataset),
      beforeAttributeUpdated: (name, node) => !(name === "open" && node instanceof HTMLDetailsElement),
      afterNodeMorphed: (node, now) => tell(node, now),
    },
  });
  htmx.process(old);
}

const before = new WeakMap<Node, string>();

/** Where the words of a named part have changed, it shows for a moment. */
function tell(node: Node, now: Node): void {
  if (!(node instanceof HTMLElement) || !node.id || !("tell" in node.dataset)) return;
  const words = now.textContent?.trim() ?? "";
  const last = before.get(node);
  before.set(node, words);
  if (last === undefined || last === words) return;
  node.classList.remove("told");
  void node.offsetWidth; // so that the fade begins again
  node.classList.add("told");
}

function connection(): string | undefined {
  return document.querySelector<HTMLElement>(".live")?.dataset["live"];
}

function show(state: Connection): void {
  const place = document.querySelector<HTMLElement>(".live");
  if (!place || place.dataset["live"] === state) return;
  place.style.minInlineSize ||= `${place.getBoundingClientRect().width}px`; // what stands beside it does not move
  place.dataset["live"] = state;
  place.textContent = place.dataset[state] ?? "";
  const since = state === "on" ? null : (place.dataset["since"] ?? null);
  for (const part of document.querySelectorAll("[data-exact]")) {
    if (since) part.setAttribute("data-stale", since);
    else part.removeAttribute("data-stale");
  }
}
