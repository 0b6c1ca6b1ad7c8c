"""A real Chromium: the one of npm's `@sparticuz/chromium`, unpacked into `.cache/chromium`, driven by Playwright."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from playwright.async_api import Browser, Error, Playwright, async_playwright

ROOT: Final = Path(__file__).parents[2]
CACHE: Final = ROOT / ".cache" / "chromium"
ASK: Final = """
import chromium from "@sparticuz/chromium";
console.log(JSON.stringify({ path: await chromium.executablePath(), args: chromium.args }));
"""
LAUNCHES: Final = 4
# With these of the package's flags the policy and origin checks of a page would prove less.
DROPPED: Final = (
    "--single-process",
    "--no-zygote",
    "--disable-web-security",
    "--disable-site-isolation-trials",
    "--allow-running-insecure-content",
    "--headless",
    "--disable-features=AudioServiceOutOfProcess",
)
# Chromium's own errands reach for hosts that are not there.
QUIET: Final = ("--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update")


class Unpacked(msgspec.Struct):
    """Where the browser is and how it wants to be started."""

    path: str
    args: list[str]


@cache
def chromium() -> Unpacked:
    """Unpack the browser when it is not there yet (two seconds)."""
    CACHE.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", ASK],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(CACHE)},
        capture_output=True,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Unpacked)


async def _launched(playwright: Playwright, path: str, flags: list[str]) -> Browser:
    """Start it, again if need be: this build dies of SIGSEGV before it is up in some of its starts (seen: 2 of 15)."""
    for left in reversed(range(LAUNCHES)):
        try:
            return await playwright.chromium.launch(
                executable_path=path, args=flags, headless=True, env={**os.environ, "LANG": "C.UTF-8"}
            )
        except Error as error:
            if not left or "SIGSEGV" not in str(error):
                raise
    raise AssertionError


@asynccontextmanager
async def running_chromium() -> AsyncGenerator[Browser]:
    """A browser for as long as the block lasts."""
    found = chromium()
    flags = [flag for flag in found.args if not flag.startswith(DROPPED)]
    async with async_playwright() as playwright:
        browser = await _launched(playwright, found.path, [*flags, *QUIET])
        try:
            yield browser
        finally:
            await browser.close()
