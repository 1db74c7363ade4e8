"""Which encoders take which images: each is built and run once, without memory or weights.

A program of its own, for it imports torch, which planning must not: `landslip.models.encoder_check`
starts it. It reads JSON, a list of (name, channels, image size), and writes a list of answers.
"""

import json
import sys
from typing import Any

import timm
import torch

from landslip.models.encoder import build_encoder

# Sizes that are tried beside a refused one, nearest first.
_MOST_TRIES = 24


def try_encoder(name: str, channels: int, image_size: int) -> dict[str, Any]:
    """Whether an encoder takes images, as an answer in plain values.

    Returns
    -------
    dict
        refused: why not, or None; takes: sizes nearby that it does take, and its own.
    """
    refused = _refusal(name, channels, image_size, ("meta", "cpu"))
    takes = [] if refused is None else _sizes_taken(name, channels, image_size)
    return {"refused": refused, "takes": takes}


def _sizes_taken(name: str, channels: int, refused: int) -> list[int]:
    config = timm.get_pretrained_cfg(name)
    native = config.input_size[-1] if config is not None and config.input_size else 224
    found = [native] if _refusal(name, channels, native, ("meta", "cpu")) is None else []
    nearby = {step * factor for step in (14, 16) for factor in range(2, 33)} - {native}
    for size in sorted(nearby, key=lambda size: abs(size - refused))[:_MOST_TRIES]:
        below, above = any(each < refused for each in found), any(each > refused for each in found)
        wanted = not above if size > refused else not below
        if wanted and _refusal(name, channels, size, ("meta",)) is None:
            found.append(size)
    return sorted(found)


def _refusal(name: str, channels: int, image_size: int, devices: tuple[str, ...]) -> str | None:
    """What timm says, or None where two images become two rows of features on one of `devices`.

    The device without memory comes first, for it costs next to nothing. A few encoders compute
    with numbers while they are built and fail there, so a failure counts only on the other too.
    """
    reason = None
    for device in devices:
        try:
            with torch.device(device), torch.no_grad():
                names = [str(number) for number in range(channels)]
                encoder, _ = build_encoder(name, channels=names, outputs=3, image_size=image_size)
                answer = encoder(torch.zeros(2, channels, image_size, image_size))
        except Exception as error:
            lines = str(error).strip().splitlines()
            reason = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
            continue
        if isinstance(answer, torch.Tensor) and answer.shape == (2, 3):
            return None
        reason = (
            f"it gives {getattr(answer, 'shape', type(answer).__name__)}, expected one row each"
        )
    return reason


if __name__ == "__main__":
    torch.set_num_threads(1)
    json.dump([try_encoder(*use) for use in json.load(sys.stdin)], sys.stdout)
