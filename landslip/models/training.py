"""The training of a network, from its first or its last saved step to its end."""

import logging
import time
from collections.abc import Mapping, Sequence

import torch

from landslip.models.epochs import LabelledPatches
from landslip.models.interruption import Interrupted, Interruption
from landslip.models.network import MultiEncoder
from landslip.models.run import Run
from landslip.models.settings import Training
from landslip.models.state import StateFile

log = logging.getLogger(__name__)


def train(
    model: MultiEncoder,
    training: LabelledPatches,
    validation: LabelledPatches,
    settings: Training,
    *,
    seed: int,
    device: torch.device,
    precision: str,
    sensors: Mapping[str, Sequence[str]] | None = None,
    file: StateFile | None = None,
    interruption: Interruption | None = None,
) -> Run:
    """Train `model` in place; the last epoch's weights are kept, as in the paper.

    With `ema_decay` it is their moving average that is kept, and measured for the learning curve.

    Parameters
    ----------
    model
        Changed in place.
    training, validation
        Validation is only measured, for the learning curve; nothing is chosen on it.
    settings
        Of the training.
    seed
        Of this (seed, model, fold): draws the order, the symmetries and the dropout.
    device
        Where the network computes.
    precision
        float32, bfloat16 or float16.
    sensors
        Channel -> sensors that it comes from; read where `modality_dropout` is set.
    file
        Where the state is saved, at the end of every epoch and now and then inside; what it
        holds of this training is where it goes on. None: nothing is saved.
    interruption
        Signals that wait until a step has ended and its state is saved.

    Returns
    -------
    Run
        With its learning curve and what it took.

    Raises
    ------
    LossNotFiniteError
        The loss is no longer finite; epoch, step and batch are named. The last good state stays.
    InputError
        Memory does not hold a batch and parts of it would give another result.
    Interrupted
        A signal asked to end. The state is saved.
    """
    interruption = interruption or Interruption()
    with interruption.waits():
        run = Run(
            model,
            training,
            settings,
            seed=seed,
            device=device,
            precision=precision,
            sensors=sensors,
        )
        saver = _Saver(run, file, interruption)
        saver.go_on()
        while run.epoch < settings.epochs:
            while run.step < run.steps:
                run.take_step()
                saver.save_if_due()
            run.close_epoch(validation)
            saver.save()
        run.keep_average()
    return run


class _Saver:
    """Saves a run when it is time, and ends the process when a signal came."""

    def __init__(self, run: Run, file: StateFile | None, interruption: Interruption) -> None:
        self._run, self._file, self._interruption = run, file, interruption
        self._saved = time.monotonic()

    def go_on(self) -> None:
        """Put the run where the file left it."""
        state = self._file.read() if self._file else None
        if state is not None:
            self._run.restore(state)
            log.info("going on after %s", _describe_progress(self._run))

    def save_if_due(self) -> None:
        """Save inside an epoch, after some minutes or because a signal asks to end."""
        due = self._file is not None and time.monotonic() - self._saved >= 60 * self._file.minutes
        # An epoch's last step is saved with its closing, unless that may come too late.
        if self._interruption.signal is not None or (due and self._run.step < self._run.steps):
            self.save()

    def save(self) -> None:
        """Save, then end the process if a signal asks for it."""
        if self._file is not None:
            self._file.write(self._run.state())
            self._saved = time.monotonic()
        if self._interruption.signal is not None:
            raise Interrupted(self._interruption.signal, self._reached())

    def _reached(self) -> str:
        place = f"{_describe_progress(self._run)} are trained"
        return f"{place} and saved; the next run goes on from there" if self._file else place


def _describe_progress(run: Run) -> str:
    return f"{run.epoch} epochs and {run.step} of {run.steps} steps of the next"
