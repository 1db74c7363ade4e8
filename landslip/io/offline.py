"""What keeps GDAL from fetching what a file of a user names: no file needs the net to be read."""

import json
import mmap
import re
from pathlib import Path
from typing import Any

from landslip.io.ordinary_files import open_ordinary

OFFLINE = {
    # An ending that no address has.
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",
    # Whatever does not go through GDAL's files: nobody listens at the port "discard".
    "GDAL_HTTP_PROXY": "http://127.0.0.1:9",
}
"""Settings of GDAL under which it reaches no address."""

# The name of a member, in all ways to write it, that says a coordinate system.
_CRS = re.compile(rb"[\"'](?:[cC]|\\u00[46]3)(?:[rR]|\\u00[57]2)(?:[sS]|\\u00[57]3)[\"']\s*")
_LONGEST_CRS = 1 << 16  # bytes; as PROJJSON about 2,000
# How GDAL tells its own form of JSON, which holds a command line that it would run.
_COMMAND = b"gdal_streamed_alg"


def what_json_asks_for(path: Path) -> str | None:
    """What a GeoJSON, TopoJSON or the like would have GDAL fetch or run; None: nothing.

    Returns
    -------
    str or None
        Words that go on after "it".
    """
    with open_ordinary(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        if text.find(_COMMAND) >= 0:
            return "holds commands for GDAL"
        for found in _CRS.finditer(text):
            if _asks_for_address(text[found.end() : found.end() + _LONGEST_CRS]):
                return "names its coordinate system by an address on the net; save it anew in QGIS"
    return None


def _asks_for_address(after: bytes) -> bool:
    """Whether the value of a member `crs` is fetched from where it says."""
    if not after.startswith(b":"):
        return not after.startswith((b",", b"}", b"]"))  # else text, no member's name
    try:
        json.JSONDecoder(object_pairs_hook=_refuse_links).raw_decode(
            after[1:].decode("utf-8", "replace").lstrip()
        )
    except (ValueError, RecursionError):
        return True
    return False


def _refuse_links(pairs: list[tuple[str, Any]]) -> None:
    for name, value in pairs:
        if name.casefold() == "type" and str(value).casefold() in ("link", "url"):
            raise ValueError(value)
