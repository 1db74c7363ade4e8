"""Which encoders take which images: each is built at random and run once.

A program of its own, for it imports torch, which planning must not: `landslip.models.encoder_check`
starts it. It reads JSON, a list of (name, channels, image size), and writes a list of answers.
"""

import json
import sys
from typing import Any

import torch

from landslip.models.encoder import build_encoder
from landslip.models.timm_models import native_input

# Sizes that are tried beside a refused one, nearest first.
_MOST_TRIES = 24
# Of an encoder that is given memory while a workflow is planned: 1.6 GB at most.
_MOST_PARAMETERS = 400_000_000


def try_encoder(name: str, channels: int, image_size: int) -> dict[str, Any]:
    """Whether an encoder takes images, as an answer in plain values.

    Returns
    -------
    dict
        refused: why not, or None; takes: sizes nearby that it does take, and its own.
    """
    refused = _refusal(name, channels, image_size)
    takes = [] if refused is None else _sizes_taken(name, channels, image_size)
    return {"refused": refused, "takes": takes}


def _sizes_taken(name: str, channels: int, refused: int) -> list[int]:
    native = native_input(name)[-1]
    found: list[int] = []
    nearby = {step * factor for step in (14, 16) for factor in range(2, 33)} - {native}
    for size in sorted(nearby, key=lambda size: abs(size - refused))[:_MOST_TRIES]:
        below, above = any(each < refused for each in found), any(each > refused for each in found)
        wanted = not above if size > refused else not below
        # The device without memory first: most sizes fail there, at next to no cost.
        if wanted and _run("meta", name, channels, size)[0] is None:
            found += [size] if _refusal(name, channels, size) is None else []
    if _refusal(name, channels, native) is None:
        found.append(native)
    return sorted(found)


def _refusal(name: str, channels: int, image_size: int) -> str | None:
    """What timm says, or None where two images become two rows of features.

    The processor decides. The device without memory knows shapes alone: it passes what looks up a
    number beyond the end of a table, and a few encoders compute with numbers while they are built.
    So it only speaks for encoders that are too large to be built here.
    """
    reason, parameters = _run("meta", name, channels, image_size)
    if parameters > _MOST_PARAMETERS:
        return reason
    return _run("cpu", name, channels, image_size)[0]


def _run(device: str, name: str, channels: int, image_size: int) -> tuple[str | None, int]:
    """Why an encoder fails on a device, or None; and its parameters, 0 where it cannot be built."""
    parameters = 0
    try:
        with torch.device(device), torch.no_grad():
            names = [str(number) for number in range(channels)]
            encoder, _ = build_encoder(name, channels=names, outputs=3, image_size=image_size)
            parameters = sum(value.numel() for value in encoder.parameters())
            answer = encoder(torch.zeros(2, channels, image_size, image_size))
    except Exception as error:
        lines = str(error).strip().splitlines()
        kind = type(error).__name__
        return f"{kind}: {lines[0]}" if lines else kind, parameters
    if isinstance(answer, torch.Tensor) and answer.shape == (2, 3):
        return None, parameters
    shape = getattr(answer, "shape", type(answer).__name__)
    return f"it gives {shape}, expected one row each", parameters


if __name__ == "__main__":
    torch.set_num_threads(1)
    json.dump([try_encoder(*use) for use in json.load(sys.stdin)], sys.stdout)
