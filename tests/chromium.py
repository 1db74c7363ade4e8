"""A real browser that opens a page, and says what it shows and logs."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROBE = """<pre id="probe"></pre><script>
window.addEventListener("load", () => {
  const images = [...document.images].map((image) => [image.naturalWidth, image.clientWidth]);
  const root = document.documentElement;
  document.getElementById("probe").textContent =
    JSON.stringify({images, page: root.scrollWidth, window: root.clientWidth});
});
</script></body>"""


def find_chromium() -> str:
    """The browser's path; without one, skip at a desk and fail in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        message = "Chromium is not installed: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def open_page(html: str, folder: Path, width: int = 1100) -> tuple[dict[str, object], list[str]]:
    """Load a page; what its pictures measure, and what the console logs."""
    page = folder / "probed.html"
    page.write_text(html.replace("</body>", PROBE), encoding="utf-8")
    done = subprocess.run(
        [
            find_chromium(),
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0",
            f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900",
            "--virtual-time-budget=10000", "--dump-dom", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'<pre id="probe">(\{.*?\})</pre>', done.stdout)
    assert found, done.stderr[-2000:]
    return json.loads(found[1]), re.findall(r".*:CONSOLE.*", done.stderr)
