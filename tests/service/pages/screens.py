"""A page on a screen: open it, keep a picture of it, how long it took, what axe-core finds, what it asked for."""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait


def show(browser: webdriver.Chrome, url: str, width: int, height: int, look: str) -> None:
    """Open a page on a screen of this size, in a light or a dark room."""
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": look}]}
    )
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get(url)


def shoot(browser: webdriver.Chrome, path: Path, width: int) -> None:
    """The whole page, as long as it is."""
    height = min(6000, browser.execute_script("return document.documentElement.scrollHeight"))
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "clip": clip, "captureBeyondViewport": True}
    )
    path.write_bytes(base64.b64decode(shot["data"]))


def timing(browser: webdriver.Chrome) -> dict[str, int]:
    """Milliseconds from the start of a navigation to its first byte, to the end of its script, and to the end of all."""
    script = "const [one] = performance.getEntriesByType('navigation'); return one.toJSON()"
    found = WebDriverWait(browser, 30).until(
        lambda b: one if (one := b.execute_script(script))["loadEventEnd"] else None
    )
    names = {"first byte": "responseStart", "interactive": "domContentLoadedEventEnd", "loaded": "loadEventEnd"}
    return {words: round(found[name]) for words, name in names.items()}


def keep(path: Path, data: str, took: dict[str, Any]) -> None:
    """Add the timings over these data to the file, and print them: how long is for people to say, machines are noisy."""
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | {data: took}, indent=1))
    for name, screens in took.items():
        slowest = max(screens.values(), key=lambda one: one["interactive"])
        sys.stdout.write(
            f"page {name}, {data}: interactive after {slowest['interactive']} ms, the slowest of {len(screens)}\n"
        )


def serious(browser: webdriver.Chrome, axe: str) -> list[str]:
    """What axe-core calls serious or critical."""
    browser.execute_script(axe)
    result: dict[str, Any] = browser.execute_async_script("const done = arguments[0]; axe.run().then(done)")
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:150]} ({len(one['nodes'])})"
        for one in result["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def requested(browser: webdriver.Chrome) -> Iterator[str]:
    """The address of every request; embedded data and the browser's own first tab are none."""
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            if not url.startswith(("data:", "chrome:")):
                yield url
