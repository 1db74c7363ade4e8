"""What stands in the JSON files of the data stage, as far as other jobs read it."""

from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

from landslip.io.records import Amount, Count, Number, Share, read_record


class ListingSummary(TypedDict):
    """The content of listing.json."""

    strays: dict[str, list[str]]
    respelt: dict[str, list[Any]]
    shape: tuple[Count, Count] | None
    notes: NotRequired[list[str]]


class Counts(TypedDict):
    """Patches of a split."""

    patches: Count
    ok: Count
    empty: Count
    dropped: Count
    landslides: Count
    others: Count
    unlabelled: Count


class Sizes(TypedDict):
    """Of a patch."""

    rows: Count
    columns: Count
    channels: Count
    dtypes: dict[str, Count]


class Channel(TypedDict):
    """What its pixels hold."""

    name: str
    min: Number | None
    max: Number | None
    median_magnitude: Amount | None
    outside_plausible: Count
    outside_share: Share
    constant_patches: Count


class Audit(TypedDict):
    """The content of audit.json."""

    warnings: list[str]
    done: list[str]
    counts: dict[str, Counts]
    patch: Sizes
    channels: list[Channel]


def read_listing_summary(path: Path) -> dict[str, Any]:
    """Read listing.json, checked; see `landslip.io.records.read_record`."""
    return dict(read_record(path, ListingSummary))


def read_audit(path: Path) -> dict[str, Any]:
    """Read audit.json, checked."""
    return dict(read_record(path, Audit))
