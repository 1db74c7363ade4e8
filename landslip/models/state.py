"""The state of a training on disk: whole, verified, and of the training that asks for it."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from landslip.io.files import atomic_path, remove, text_digest
from landslip.io.settings import differing

log = logging.getLogger(__name__)

FORMAT_VERSION = 1


class State(NamedTuple):
    """What a training needs to go on: tensors by name, and plain values."""

    tensors: dict[str, Tensor]
    progress: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class StateFile:
    """The file that holds the state of one training.

    One safetensors file; the plain values are JSON in its metadata. Nothing in it is run.
    """

    path: Path
    fingerprint: Mapping[str, str]
    """Name -> value or digest of all that decides the training's result."""
    minutes: float
    """Between saves inside an epoch."""

    def write(self, state: State) -> None:
        """Replace the file, atomically.

        Raises
        ------
        OSError
            The disk is full or the folder is read-only; the old state is untouched.
        """
        tensors = {
            name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()
        }
        text = json.dumps(
            {
                "format_version": FORMAT_VERSION,
                "fingerprint": dict(self.fingerprint),
                "progress": state.progress,
            }
        )
        metadata = {"state": text, "sha256": _digest(tensors, text)}
        with atomic_path(self.path) as temporary:
            temporary.write_bytes(save(tensors, metadata))

    def read(self) -> State | None:
        """The state to go on from; None where there is none of this training that is whole.

        A state that is damaged or of another training is left alone and named in the log, with
        what differs.
        """
        if not self.path.exists():
            return None
        try:
            found, state = _read(self.path)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s is damaged (%s); training starts anew", self.path, error)
            return None
        if changes := differing(found, self.fingerprint):
            log.warning(
                "%s is of another training (%s); training starts anew",
                self.path,
                "; ".join(changes),
            )
            return None
        return state

    def delete(self) -> None:
        """Delete the state, as its training has ended."""
        remove(self.path)


def _read(path: Path) -> tuple[dict[str, str], State]:
    """Fingerprint and state of a file, verified as a whole before any of it is used."""
    with safe_open(path, framework="pt") as opened:
        metadata = opened.metadata() or {}
        # Copies: what the file maps would hold it open.
        tensors = {name: opened.get_tensor(name).clone() for name in list(opened.keys())}
    if metadata["sha256"] != _digest(tensors, metadata["state"]):
        raise ValueError("its digest differs")
    content = json.loads(metadata["state"])
    if content["format_version"] != FORMAT_VERSION:
        raise ValueError(f"format {content['format_version']}, not {FORMAT_VERSION}")
    return content["fingerprint"], State(tensors, content["progress"])


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    """SHA-256 over names, types, shapes and bytes of tensors, and the text beside them."""
    digest = hashlib.sha256(text_digest(text).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(text_digest(name, str(tensor.dtype), str(tuple(tensor.shape))).encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
