"""Signals that ask a job to end: noted while a step or a save is under way, obeyed after it."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)

# What SLURM, a shutdown and a terminal send before they kill.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


class Interrupted(SystemExit):
    """A signal asked this process to end: it exits with 128 + the signal's number.

    Parameters
    ----------
    number
        Of the signal.
    reached
        How far the work has come, and where the next run goes on.
    """

    def __init__(self, number: int, reached: str = "the next run goes on from the last save"):
        super().__init__(128 + number)
        self.name = signal.Signals(number).name
        self.reached = reached


class Interruption:
    """Whether a signal has asked to end, and whether it must wait."""

    def __init__(self) -> None:
        self.signal: int | None = None
        """The last signal that came."""
        self._waits = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: the first signal ends the work at once, unless it must wait."""
        first = self.signal is None
        self.signal = number
        if first and not self._waits:
            raise Interrupted(number)

    @contextmanager
    def waits(self) -> Iterator[None]:
        """Within the block signals are only noted: the block looks at `signal` when it can."""
        self._waits = True
        try:
            yield
        finally:
            self._waits = False
        if self.signal is not None:
            raise Interrupted(self.signal)


@contextmanager
def noting_signals() -> Iterator[Interruption]:
    """Handle SIGNALS within the block, and say in one line how far it came when one ended it."""
    interruption = Interruption()
    handlers = {number: signal.signal(number, interruption.note) for number in SIGNALS}
    try:
        yield interruption
    except Interrupted as stop:
        log.info("stopped by %s: %s", stop.name, stop.reached)
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
