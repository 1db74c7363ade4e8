"""Files of the future get the present time; others keep theirs."""

import os
import time
from pathlib import Path

from landslip.engine.clock import bring_back


def test_what_lies_ahead_is_brought_back_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    old, ahead, link = (tmp_path / "store" / name for name in ("old", "ahead", "link"))
    old.touch(), ahead.touch()
    link.symlink_to(old)
    for path, seconds in ((old, -1000), (ahead, 86400)):
        os.utime(path, (time.time() + seconds,) * 2)
    before = old.stat().st_mtime_ns
    assert bring_back(tmp_path) == 1
    assert ahead.stat().st_mtime <= time.time()
    assert old.stat().st_mtime_ns == before
    assert bring_back(tmp_path) == 0
    assert bring_back(tmp_path / "absent") == 0
