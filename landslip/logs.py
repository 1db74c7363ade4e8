"""Log lines of a job: to its log file and to the terminal, with its last error in plain words."""

import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType

from landslip.files import InputError


def configure_logging(path: str | Path) -> None:
    """Send log lines to `path` and stderr; end with one message for mistakes of the input.

    A traceback is for faults of this program; what the user can mend is said without one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [
        logging.StreamHandler(sys.stderr),
        logging.FileHandler(path, encoding="utf-8"),
    ]
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )
    # timm tells at length what is expected when it adapts weights to other channels.
    logging.getLogger("timm").setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _report


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, InputError | OSError):
        logging.getLogger("landslip").error("error: %s", error)
    else:
        text = "".join(traceback.format_exception(kind, error, trace))
        logging.getLogger("landslip").error("%s", text)
