/** The icon as PNG, for platforms that take no SVG: from the one file that pages load, in the sizes that they ask for. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Resvg } from "@resvg/resvg-js";

const STATIC = new URL("../src/portal/static/", import.meta.url);
const SIZES = [180, 192, 512];

const svg = readFileSync(new URL("icon.svg", STATIC), "utf8");
mkdirSync(new URL("build/", STATIC), { recursive: true });
for (const size of SIZES) {
  const drawn = new Resvg(svg, { fitTo: { mode: "width", value: size }, font: { loadSystemFonts: false } }).render();
  writeFileSync(new URL(`build/icon-${size}.png`, STATIC), drawn.asPng());
}
