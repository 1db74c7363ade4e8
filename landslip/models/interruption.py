"""Signals that ask a job to end: noted while a step or a save is under way, obeyed after it."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)

# What SLURM, a shutdown and a terminal (asked to, or closed) send before they kill.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP)

_REACHED = "the next run goes on from the last save"


class Interrupted(SystemExit):
    """A signal asked this process to end: it exits with 128 + the signal's number.

    Parameters
    ----------
    number
        Of the signal.
    reached
        How far the work has come, and where the next run goes on.
    """

    def __init__(self, number: int, reached: str):
        super().__init__(128 + number)
        self.name = signal.Signals(number).name
        self.reached = reached


class Interruption:
    """Whether a signal has asked to end, and whether it must wait.

    Parameters
    ----------
    reached
        How far the work has come, for the log, where the work itself does not say it.
    """

    def __init__(self, reached: str = _REACHED) -> None:
        self.signal: int | None = None
        """The last signal that came."""
        self._reached = reached
        self._waits = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: the first signal ends the work at once, unless it must wait."""
        first = self.signal is None
        self.signal = number
        if first and not self._waits:
            raise Interrupted(number, self._reached)

    @contextmanager
    def waits(self) -> Iterator[None]:
        """Only note signals within the block, which looks at `signal` when it can."""
        self._waits = True
        try:
            yield
        finally:
            self._waits = False
        if self.signal is not None:
            raise Interrupted(self.signal, self._reached)


@contextmanager
def noting_signals(reached: str = _REACHED) -> Iterator[Interruption]:
    """Handle SIGNALS within the block, and say in one line how far it came when one ended it.

    Unlike by a signal that just kills, temporary files are removed then. A signal that this process
    was started to ignore stays ignored, as SIGHUP under nohup.
    """
    interruption = Interruption(reached)
    heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    handlers = {number: signal.signal(number, interruption.note) for number in heard}
    try:
        yield interruption
    except Interrupted as stop:
        log.info("stopped by %s: %s", stop.name, stop.reached)
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
