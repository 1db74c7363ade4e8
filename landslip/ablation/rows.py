"""A row of a table of the ablation, planned by the rules and filled by a job."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row: models that it combines, and what it is compared to."""

    variant: str
    members: Sequence[str]
    """Models whose OOF predictions are combined: one for a model."""
    against: str
    """Name of the row that the difference is to."""
    against_members: Sequence[str]
