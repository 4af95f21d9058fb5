"""A real Chromium, for tests that look at pages as users do."""

import contextlib
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium; without one the test says that it was not run."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.skip("not run: no Chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=_SWITCHES)
        yield launched
        launched.close()


@contextlib.contextmanager
def opened(browser: Browser, *, width: int = 1280, dark: bool = False, script: bool = True) -> Iterator[Page]:
    """A fresh page; whatever it says to its console or asks of a foreign server fails the test."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: troubles.append(str(e)))
    page.on("dialog", lambda d: (troubles.append(f"dialog: {d.message}"), d.dismiss()))
    page.on(
        "request",
        lambda r: troubles.append(f"foreign: {r.url}") if not r.url.startswith("http://127.0.0.1:") else None,
    )
    yield page
    context.close()
    troubles = [t for t in troubles if "the server responded with a status of 4" not in t]
    assert not troubles, troubles
