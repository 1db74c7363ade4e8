"""Whether trained models are the folds of one model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from landslip.io.files import InputError

# What the folds of one model have in common; what a kind of model does not tell is None.
_SHARED = ("split_digest", "settings", "architecture", "columns")


def check_folds(
    model: str, descriptions: Sequence[Path], metadata: Sequence[Mapping[str, Any]], *, folds: int
) -> str:
    """Refuse models that are not the folds of one model, each once and in order.

    Parameters
    ----------
    model
        The name that each must have.
    descriptions
        model.json of each fold, for messages.
    metadata
        What each says.
    folds
        How many the model has.

    Returns
    -------
    str
        Digest of the split that they were trained on.

    Raises
    ------
    InputError
        A fold is missing or stands in the place of another, or a fold is of another model, split,
        settings or inputs than the first.
    """
    if not len(descriptions) == folds > 0:
        raise InputError(
            f"{model} is {len(descriptions)} trained folds, expected {folds}; train them all"
        )
    for fold, (path, values) in enumerate(zip(descriptions, metadata, strict=True)):
        if values.get("model") != model or values.get("fold") != fold:
            raise InputError(
                f"{path} is of {values.get('model')} fold {values.get('fold')}, expected {model} "
                f"fold {fold}; train the missing fold, or delete {path.parent} and run again"
            )
        for name in _SHARED:
            if values.get(name) != metadata[0].get(name):
                raise InputError(
                    f"{path} and {descriptions[0]} are of trainings with another {name}; train "
                    f"{model} anew"
                )
    digest = metadata[0].get("split_digest")
    if not isinstance(digest, str):
        raise InputError(f"{descriptions[0]} lacks split_digest; train {model} anew")
    return digest
