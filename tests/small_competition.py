"""A small folder in the competition's layout, to be damaged by tests of the data stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.audit_page import write_audit
from landslip.data.inputs import write_listing
from landslip.data.manifest import build_manifest
from landslip.data.nodata import NoData, zero_groups
from landslip.data.survey import survey_shard
from landslip.data.units import UnitRange
from landslip.io.files import InputError, read_json, read_parquet

CHANNELS = {"red": "reflectance_1e4", "vv": "db", "diff_vv": "db_change"}
UNITS = {
    "reflectance_1e4": UnitRange((0.0, 22000.0), (30.0, 20000.0), "reflectance"),
    "db": UnitRange((-70.0, 40.0), (2.5, 50.0), "backscatter"),
    "db_change": UnitRange((-60.0, 60.0), (0.2, 12.0), "change"),
}
SETTINGS: dict[str, Any] = {
    "channels": CHANNELS,
    "units": UNITS,
    "on_bad_patch": "refuse",
    "on_nonfinite": "refuse",
    "on_zeros": "fill",
    "ndvi": None,
    "on_wrong_unit": "refuse",
    "least_data": 0.5,
    "group": None,
}
SIZE = 8


def no_data(
    channels: Mapping[str, str],
    units: Mapping[str, UnitRange],
    declared: Mapping[str, list[float]],
    on_zeros: str = "fill",
) -> NoData:
    """What tells pixels without data; `declared`: channel -> values."""
    groups = zero_groups({name: units[unit].quantity for name, unit in channels.items()})
    return NoData(
        plausible=[units[unit].plausible for unit in channels.values()],
        values=[declared.get(name, []) for name in channels],
        zeros=[] if on_zeros == "keep" else groups,
    )


def draw_patch(seed: int, shape: tuple[int, int] = (SIZE, SIZE)) -> NDArray[np.float64]:
    """A patch (row, column, channel) whose channels are as large as their units say."""
    random = np.random.default_rng(seed)
    centre, spread = np.array([1500.0, -12.0, 0.5]), np.array([300.0, 3.0, 2.0])
    return random.normal(centre, spread, size=(*shape, 3))


@dataclass
class Competition:
    """Twelve training patches, every third a landslide, and four test patches."""

    folder: Path
    train: list[str]
    test: list[str]

    def path(self, patch_id: str) -> Path:
        """Where the patch's file stands."""
        split = "train" if patch_id in self.train else "test"
        return self.folder / f"{split}_data" / f"{patch_id}.npy"

    def write(self, patch_id: str, patch: NDArray[Any]) -> None:
        """Replace a patch."""
        np.save(self.path(patch_id), patch)

    def edit(self, patch_id: str, **channels: Any) -> None:
        """Set whole channels of a patch."""
        patch = np.load(self.path(patch_id))
        for name, value in channels.items():
            patch[:, :, list(CHANNELS).index(name)] = value
        self.write(patch_id, patch)

    def truncate(self, patch_id: str, size: int) -> None:
        """Leave the first bytes of a patch's file."""
        self.path(patch_id).write_bytes(self.path(patch_id).read_bytes()[:size])

    def csv(self, name: str, text: str) -> Path:
        """Write a table."""
        (self.folder / name).write_bytes(text.encode())
        return self.folder / name

    def build(
        self, *, workers: int = 1, shards: int = 1, **changes: Any
    ) -> tuple[pd.DataFrame, dict[str, Any], str]:
        """Manifest, audit and page."""
        sources = {
            "train_labels": self.folder / "Train.csv",
            "train_patches": self.folder / "train_data",
            "test_ids": self.folder / "Test.csv",
            "test_patches": self.folder / "test_data",
            "test_labels": None,
            "group": None,
            "links_into": None,
        }
        settings = {**SETTINGS, "group": changes.get("group")}
        for name, value in changes.items():
            (sources if name in sources else settings)[name] = value
        channels, units = settings["channels"], settings["units"]
        declared = settings.pop("nodata", {})
        settings["no_data"] = no_data(channels, units, declared, settings["on_zeros"])
        write_listing(
            channels=len(channels),
            listing=self.listing,
            listing_summary=self.listing_summary,
            listed=self.listed,
            **sources,
        )
        surveys = []
        for split in ("train", "test"):
            for shard in range(shards):
                surveys.append(self.listing.with_name(f"{split}{shard}.npz"))
                survey_shard(
                    self.listing,
                    self.listing_summary,
                    split=split,
                    shard=shard,
                    shards=shards,
                    channels=len(channels),
                    no_data=settings["no_data"],
                    workers=workers,
                    target=surveys[-1],
                )
        return self.judge(surveys, **settings)

    def judge(self, surveys: list[Path], **settings: Any) -> tuple[pd.DataFrame, Any, str]:
        """The last step of `build`."""
        out = self.folder / "out"
        units = settings.get("channels", CHANNELS)
        optical = {name: unit.startswith("reflectance") for name, unit in units.items()}
        build_manifest(
            listing=self.listing,
            listing_summary=self.listing_summary,
            surveys=surveys,
            **{"no_data": no_data(CHANNELS, UNITS, {}), **SETTINGS, **settings},
            sensors={name: "optical" if seen else "radar" for name, seen in optical.items()},
            manifest=out / "manifest.parquet",
            audit_json=out / "audit.json",
            listed=self.listed,
        )
        write_audit(out / "audit.json", out / "audit.html")
        page = (out / "audit.html").read_text(encoding="utf-8")
        return read_parquet(out / "manifest.parquet"), read_json(out / "audit.json"), page

    @property
    def listing(self) -> Path:
        """Beside the surveys."""
        return self.folder / "looked" / "listing.parquet"

    @property
    def listing_summary(self) -> Path:
        """Of the listing."""
        return self.listing.with_suffix(".json")

    @property
    def listed(self) -> Path:
        """What a refusal has no room for."""
        return self.folder / "logs" / "listed.txt"

    def refusal(self, **changes: Any) -> str:
        """The message with which the data are refused, after a check that nothing was written."""
        try:
            self.build(**changes)
        except InputError as error:
            assert not (self.folder / "out").exists()
            return str(error)
        raise AssertionError("the data were not refused")


def make_competition(folder: Path, shape: tuple[int, int] = (SIZE, SIZE)) -> Competition:
    """Write the folder."""
    train = [f"ID_{number:02d}" for number in range(12)]
    test = [f"ID_T{number}" for number in range(4)]
    competition = Competition(folder, train, test)
    for split in ("train", "test"):
        (folder / f"{split}_data").mkdir(parents=True)
    for seed, patch_id in enumerate([*train, *test]):
        competition.write(patch_id, draw_patch(seed, shape))
    rows = [f"{name},{int(number % 3 == 0)}\n" for number, name in enumerate(train)]
    competition.csv("Train.csv", "ID,label\n" + "".join(rows))
    competition.csv("Test.csv", "ID\n" + "".join(f"{name}\n" for name in test))
    return competition
