"""Log lines of a job: to its log file and to the terminal, with its last error in plain words."""

import logging
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from landslip.io.files import InputError
from landslip.io.room import in_words


def configure_logging(path: str | Path) -> None:
    """Send log lines to `path` and stderr; end with one message for mistakes of the input.

    A traceback is for faults of this program; what the user can mend is said without one.
    """
    sys.excepthook = _report
    form = "%(asctime)s %(message)s"
    logging.basicConfig(
        level=logging.INFO, format=form, datefmt="%H:%M:%S", stream=sys.stderr, force=True
    )
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = _LogFile(path, encoding="utf-8")
    except OSError as error:
        _say_unwritten(path, error)
    else:
        file.setFormatter(logging.Formatter(form, "%H:%M:%S"))
        logging.getLogger().addHandler(file)
    # timm tells at length what is expected when it adapts weights to other channels.
    logging.getLogger("timm").setLevel(logging.WARNING)
    logging.captureWarnings(True)


class _LogFile(logging.FileHandler):
    """A log file that is given up, with one line on the terminal, when it cannot be written."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, logging's name
        """Say so once: a traceback for each line would bury what the job has to say."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        logging.getLogger().removeHandler(self)
        with suppress(OSError):
            self.close()
        _say_unwritten(self.baseFilename, error)


def _say_unwritten(path: str | Path, error: OSError) -> None:
    logging.getLogger("landslip").warning(
        "the log %s cannot be written (%s): what it lacks is said here alone", path, error.strerror
    )


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, InputError | OSError):
        logging.getLogger("landslip").error("error: %s", in_words(error))
    else:
        text = "".join(traceback.format_exception(kind, error, trace))
        logging.getLogger("landslip").error("%s", text)
