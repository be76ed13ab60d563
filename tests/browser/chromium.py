"""Finds what a browser test needs: an installed Chromium and its driver, or the reason why there is none."""

import importlib.util
import os
import shutil

VARIABLE = "REDNET_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
# The sandbox wants rights that containers and root do not have; nothing but this machine's own pages is opened.
# Names are resolved for this machine alone: a page that asks for another gets none, and the test hears of it.
ARGUMENTS = ("--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")


def find_chromium() -> str | None:
    """The browser of REDNET_CHROMIUM, or the first of the usual names on PATH."""
    return os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, NAMES)), None)


def missing() -> str:
    """Why no browser can be driven here, with the remedy; empty where one can."""
    if importlib.util.find_spec("playwright") is None:
        return "no driver: pip install playwright (its own browsers are not needed)"
    if find_chromium() is None:
        return f"no Chromium on PATH: install the system's package, or name the program in {VARIABLE}"
    return ""
