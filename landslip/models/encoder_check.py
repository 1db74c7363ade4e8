"""Whether encoders take the images that a config gives them, known before any job and from a cache.

timm's models say so only when they are built and run. That takes torch, so it is done in a process
of its own, once for each timm, encoder, number of channels and size of this user.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from landslip.io.files import InputError, text_digest
from landslip.io.user_cache import TextCache

_PROGRAM = "landslip.models.try_encoders"
_ROOT = Path(__file__).parents[2]
# What the program runs: another one may answer otherwise.
_CODE = ("try_encoders.py", "encoder.py", "timm_models.py")


@dataclass(frozen=True, kw_only=True)
class Use:
    """How a model uses an encoder."""

    timm: str
    channels: int
    image_size: int


def refuse_encoders(uses: Mapping[str, Iterable[Use]]) -> None:
    """Refuse models whose encoders do not take their images.

    Raises
    ------
    InputError
        As `refused_encoders` raises it, or some do not; it names each with sizes that it takes.
    """
    refused = refused_encoders(uses)
    lines = [f"{where}: {line}" for where in refused for line in refused[where]]
    if lines:
        raise InputError("the config is not valid:\n  " + "\n  ".join(lines))


def refused_encoders(uses: Mapping[str, Iterable[Use]]) -> dict[str, list[str]]:
    """What is wrong with the encoders of models.

    Parameters
    ----------
    uses
        Where a model stands in the config -> the encoders of its inputs.

    Returns
    -------
    dict
        Where -> one line for each encoder that does not take its images, with sizes that it takes.
        Nothing where timm or torch is not installed (a login node), and the training job says it.

    Raises
    ------
    InputError
        The program that tries the encoders fails.
    """
    unique = dict.fromkeys(use for several in uses.values() for use in several)
    answers = _answers(list(unique))
    refused: dict[str, list[str]] = {}
    for where, several in uses.items():
        for use in dict.fromkeys(several):
            answer = answers.get(use, {"refused": None})
            if answer["refused"] is not None:
                sizes = ", ".join(str(size) for size in answer["takes"]) or "none that was tried"
                refused.setdefault(where, []).append(
                    f"{use.timm} does not take {use.channels} channels of {use.image_size} x "
                    f"{use.image_size} pixels ({answer['refused']}); sizes that it takes: {sizes}"
                )
    return refused


def _answers(uses: list[Use]) -> dict[Use, dict[str, Any]]:
    """What the program says of each, from the cache where it was asked before."""
    try:
        versions = f"{version('timm')} {version('torch')}"
    except PackageNotFoundError:
        return {}
    kept = TextCache("encoders")
    code = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _CODE]
    found: dict[Use, dict[str, Any]] = {}
    keys: dict[Use, str] = {}
    for use in uses:
        key = text_digest(versions, *code, use.timm, str(use.channels), str(use.image_size))
        keys[use] = f"{key}.json"
        answer = _parse(kept.get(keys[use]))
        if answer is not None:
            found[use] = answer
    new = [use for use in uses if use not in found]
    for use, answer in zip(new, _run(new) if new else [], strict=True):
        found[use] = answer
        kept.put(keys[use], json.dumps(answer))
    return found


def _parse(text: str | None) -> dict[str, Any] | None:
    """An answer that was kept; None where it is damaged or was not kept."""
    if text is None:
        return None
    try:
        answer = json.loads(text)
        sound = isinstance(answer, dict) and isinstance(answer["takes"], list)
        return answer if sound and isinstance(answer["refused"], str | None) else None
    except (ValueError, KeyError):
        return None


def _run(uses: list[Use]) -> list[dict[str, Any]]:
    """Ask the program."""
    arguments = [(use.timm, use.channels, use.image_size) for use in uses]
    answer = subprocess.run(
        [sys.executable, "-m", _PROGRAM],
        input=json.dumps(arguments),
        cwd=_ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        lines = answer.stderr.strip().splitlines() or ["no message"]
        raise InputError(f"cannot try the encoders of the config: {lines[-1]}")
    answers: list[dict[str, Any]] = json.loads(answer.stdout)
    return answers
