"""A headless Chromium that clicks. Its driver speaks JSON over HTTP, so no library is needed.

Where there is no Chromium with its driver, tests of pages are left out.
"""

import base64
import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

DRIVER = shutil.which("chromedriver")
NEEDED = pytest.mark.skipif(
    DRIVER is None, reason="no chromedriver: apt-get install chromium-driver"
)


class Browser:
    """One page in one window."""

    def __init__(self, session: str) -> None:
        self._session = session

    def call(self, path: str, **said: Any) -> Any:
        """Ask the driver; what it answers."""
        return _post(f"{self._session}/{path}", said)

    def open(self, page: Path, width: int, height: int) -> None:
        """Show a page from disk."""
        self.call("window/rect", width=width, height=height)
        self.call("url", url=page.resolve().as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """What some JavaScript returns."""
        return self.call("execute/sync", script=script, args=list(arguments))

    def click(self, selector: str) -> None:
        """Click in the middle of an element, as a person does: whatever lies above gets it."""
        self.mouse(("move", *self.middle(selector)), ("down",), ("up",))

    def middle(self, selector: str) -> tuple[int, int]:
        """Place of an element in the window, which is scrolled to it."""
        x, y = self.run(
            "const e = document.querySelector(arguments[0]); e.scrollIntoView({block: 'center'});"
            "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2];",
            selector,
        )
        return round(x), round(y)

    def mouse(self, *steps: tuple[Any, ...]) -> None:
        """Move (`move`, x, y) and press (`down`, `up`) the mouse."""
        actions: list[dict[str, Any]] = []
        for what, *place in steps:
            if what == "move":
                x, y = place
                actions.append({"type": "pointerMove", "x": x, "y": y, "duration": 20})
            else:
                kind = {"down": "pointerDown", "up": "pointerUp"}[what]
                actions.append({"type": kind, "button": 0})
        self.call("actions", actions=[{"type": "pointer", "id": "mouse", "actions": actions}])

    def wheel(self, x: int, y: int, by: int) -> None:
        """Turn the wheel over a place."""
        scroll = {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": by, "duration": 0}
        self.call("actions", actions=[{"type": "wheel", "id": "wheel", "actions": [scroll]}])

    def screenshot(self, target: Path) -> None:
        """Keep what the window shows."""
        with urllib.request.urlopen(f"{self._session}/screenshot", timeout=60) as answer:
            target.write_bytes(base64.b64decode(json.load(answer)["value"]))


@contextmanager
def browser() -> Iterator[Browser]:
    """Start one; it ends with the block."""
    assert DRIVER is not None
    driver = subprocess.Popen(
        [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert driver.stdout is not None
        port = next(
            found[1]
            for line in driver.stdout
            if (found := re.search(r"started successfully on port (\d+)", line))
        )
        where = f"http://127.0.0.1:{port}/session"
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"]}
        wanted = {"alwaysMatch": {"goog:chromeOptions": options}}
        session = _post(where, {"capabilities": wanted})["sessionId"]
        try:
            yield Browser(f"{where}/{session}")
        finally:
            request = urllib.request.Request(f"{where}/{session}", method="DELETE")
            urllib.request.urlopen(request, timeout=60).close()
    finally:
        driver.terminate()
        driver.wait(timeout=60)
        if driver.stdout is not None:
            driver.stdout.close()


def _post(url: str, said: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        url, json.dumps(said).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)["value"]
