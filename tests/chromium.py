"""A real browser: Chromium as the system has it, or installs it; and what the tests do with it."""

import json
import os
import shutil
import subprocess
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright

from orderloom.defaults import DEMO_PASSWORD

PAGES = Path(__file__).parents[1] / "services" / "portal-gateway" / "pages"
AXE = PAGES / "node_modules" / "axe-core" / "axe.min.js"
SCRIPTS = PAGES.parent / "src" / "portal" / "static" / "build" / "pages.js"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 900}
INSTALL_SECONDS = 600
LAYOUT_SHIFT = """new Promise((tell) => {
  const shifted = [];
  const observer = new PerformanceObserver((found) => {
    for (const each of found.getEntries().filter((entry) => !entry.hadRecentInput))
      for (const { node } of each.sources) shifted.push((node?.outerHTML ?? node?.textContent ?? "?").slice(0, 160));
  });
  observer.observe({ type: "layout-shift", buffered: true });
  setTimeout(() => { observer.disconnect(); tell(shifted); }, 300);
})"""
PATIENCE_MS = 30_000
"""A second is enough on a quiet machine; tests run beside each other."""


def find() -> str:
    """The browser's path. Skips the test, and says so loudly, where there is none and none can be installed."""
    if not SCRIPTS.exists():
        _skip("the scripts of the pages are not built: make assets")
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False, "timeout": INSTALL_SECONDS}
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium", "fonts-noto-cjk"]):
            subprocess.run(["apt-get", "-q", *command], env=environment, **quiet)  # type: ignore[call-overload]
        if found := shutil.which("chromium"):
            return found
    _skip("there is no Chromium: apt-get install chromium")


def _skip(reason: str) -> NoReturn:
    warnings.warn(f"NOT TESTED IN A BROWSER, {reason}", stacklevel=3)
    pytest.skip(reason)


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    path = find()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Person:
    """Someone at a page, and what the browser complained of."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        await self.page.goto(path)

    async def click(self, name: str, *, role: Any = "button", exact: bool = True) -> None:
        await self.page.get_by_role(role, name=name, exact=exact).first.click()

    async def sees(self, text: str) -> None:
        await self.page.get_by_text(text).first.wait_for(timeout=PATIENCE_MS)

    async def text(self) -> str:
        return await self.page.locator("body").inner_text()

    async def is_live(self) -> None:
        await self.page.locator('.live[data-live="on"]').wait_for(timeout=PATIENCE_MS)

    async def violations(self) -> list[str]:
        """What axe-core finds wrong on this page, by rule and place."""
        await self.page.evaluate(AXE.read_text())
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = await self.page.evaluate(f"axe.run(document, {{runOnly: {json.dumps(tags)}}})")
        return [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]]

    async def shifted(self) -> list[str]:
        """What of this page has moved since it came, or moves in the next moment, by itself (what CLS counts)."""
        found: list[str] = await self.page.evaluate(LAYOUT_SHIFT)
        return found

    async def scrolls_sideways(self) -> bool:
        return bool(await self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


async def someone(
    browser: Browser,
    base: str,
    user: str,
    *,
    password: str = DEMO_PASSWORD,
    language: str = "en",
    viewport: ViewportSize = DESK,
    dark: bool = False,
    script: bool = True,
) -> Person:
    """Signed in, with the browser in `language`."""
    context = await browser.new_context(
        base_url=base,
        viewport=viewport,
        locale=language,
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    person = Person(page, context)
    page.on("console", lambda said: person.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: person.complaints.append(str(error)))
    await page.goto(f"/language?to={language}&next=/sign-in")
    await page.fill("#user", user)
    await page.fill("#password", password)
    await page.locator("form[action='/sign-in'] button").click()
    await page.locator("header.masthead").wait_for()
    return person
