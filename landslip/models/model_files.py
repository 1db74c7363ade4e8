"""A trained model's folder: model.json, and the weights beside it that it vouches for."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from landslip.io.files import InputError, file_digest, read_json

# Bytes of a model.json: a thousand times what one takes.
_MOST_JSON = 2**20

_LONGEST = 60  # letters of a weight file's name


def read_model(
    description: Path, *, kinds: Sequence[str], version: int
) -> tuple[dict[str, Any], Path]:
    """Read what model.json says, and verify the weights by it.

    Nothing that it names outside its own folder is opened.

    Parameters
    ----------
    description
        model.json.
    kinds
        Of the models that the caller can load.
    version
        Of the format that the caller reads.

    Returns
    -------
    metadata
        A JSON object; of its values `format_version`, `kind`, `weights` and `sha256` are checked.
    weights
        The file whose digest it holds.

    Raises
    ------
    InputError
        The description is anything else, or the weights are missing, elsewhere or damaged.
    """
    if description.stat().st_size > _MOST_JSON:
        raise InputError(
            f"{description} is {description.stat().st_size} bytes, expected at most {_MOST_JSON}"
        )
    metadata = read_json(description)
    expected = {"format_version", "kind", "weights", "sha256"}
    missing = sorted(expected - metadata.keys()) if isinstance(metadata, dict) else sorted(expected)
    if missing:
        raise InputError(
            f"{description} does not describe a model: it lacks {', '.join(missing)};"
            " train the model again"
        )
    if metadata["format_version"] != version:
        raise InputError(
            f"{description} has format version {_short(metadata['format_version'])}, expected"
            f" {version}; train the model again"
        )
    if metadata["kind"] not in kinds:
        raise InputError(
            f"{description}: kind {_short(metadata['kind'])} is not among {', '.join(kinds)}"
        )
    weights = _beside(description, metadata["weights"])
    if not weights.is_file():
        raise InputError(
            f"{description} names {weights.name}, which is no file beside it; train the model again"
        )
    sha256 = metadata["sha256"]
    if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
        raise InputError(f"{description}: {_short(sha256)} is no SHA-256 of weights")
    if file_digest(weights) != sha256:
        raise InputError(
            f"{weights} is damaged: its SHA-256 is not the one in {description}; delete both and"
            " run again"
        )
    return metadata, weights


def _beside(description: Path, name: object) -> Path:
    """The file of that name in the folder of `description`; nothing else can be named."""
    plain = isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")
    if not plain:
        raise InputError(
            f"{description}: weights must be the name of a file beside it, got {_short(name)}"
        )
    weights = description.parent / str(name)
    if len(str(name)) > _LONGEST:
        raise InputError(f"{description}: weights has {len(str(name))} letters, no file's name has")
    if weights.is_symlink():
        raise InputError(f"{weights} is a link; put the file itself there")
    return weights


def _short(value: object) -> str:
    """A value of a stranger's file, for a message."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
