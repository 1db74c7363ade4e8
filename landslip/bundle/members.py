"""The trained members of a bundle: loaded when they are first asked, on one device."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from landslip.bundle.prepare import Images
from landslip.bundle.recipe import Recipe
from landslip.bundle.record import MemberRecord
from landslip.data.sensors import missing_channels
from landslip.ensemble.average import average
from landslip.ensemble.sensors import member_of
from landslip.features.names import STATISTICS, feature_columns
from landslip.io.arrays import Floats
from landslip.models.fold_models import check_folds

PROCESSOR = "processor.json"
"""How fast the processor was that networks were trained on; see `landslip.models.precision`."""


class Members:
    """What answers for images.

    Parameters
    ----------
    folder
        Of the bundle, verified.
    records
        Its members.
    device
        cpu or cuda.
    threads
        Of the processor, for trees and networks; None: as many as the libraries choose for
        networks, one for trees. They change no bit of an answer: a network computes with as many
        as its training did, and folds at the same time where there are more.
    """

    def __init__(
        self,
        folder: Path,
        records: Sequence[MemberRecord],
        recipe: Recipe,
        *,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        self._folder, self._recipe = folder, recipe
        self._device, self._threads = device, threads
        self._records = {record["name"]: record for record in records}
        self._trees: dict[str, _Trees] = {}
        self._networks: dict[str, _Networks] = {}

    def is_trees(self, name: str) -> bool:
        """Whether a member reads statistics of channels."""
        return self._records[name]["kind"] != "network"

    def scores(self, columns: Sequence[str], images: Images, sensors: Sequence[str]) -> Floats:
        """Probabilities (n, column) of a few images, mean over folds.

        Parameters
        ----------
        columns
            See `landslip.ensemble.sensors.column_for`.
        images : (n, channel, row, column)
            Channels as of the recipe, finite.
        sensors
            That have data; what others show is not looked at.
        """
        found = np.empty((len(images), len(columns)))
        features: Floats | None = None
        for place, column in enumerate(columns):
            name = member_of(column)
            if self.is_trees(name):
                if features is None:
                    features = _features(images)
                found[:, place] = self._load_trees(name).predict(features, self._recipe)
            else:
                found[:, place] = self._load_networks(name).predict(images, self._recipe, sensors)
        return found

    def _descriptions(self, name: str) -> list[Path]:
        record = self._records[name]
        folder = self._folder / record["folder"]
        return [folder / f"fold{fold}" / "model.json" for fold in range(record["folds"])]

    def _load_trees(self, name: str) -> "_Trees":
        if name not in self._trees:
            self._trees[name] = _Trees(name, self._descriptions(name), self._threads or 1)
        return self._trees[name]

    def _load_networks(self, name: str) -> "_Networks":
        if name not in self._networks:
            self._networks[name] = _Networks(
                name,
                self._descriptions(name),
                processor=self._folder / PROCESSOR,
                device=self._device,
                threads=self._threads,
            )
        return self._networks[name]


class _Trees:
    """The trees of all folds of a member."""

    def __init__(self, name: str, descriptions: Sequence[Path], threads: int) -> None:
        from landslip.models.tree_files import load_trees

        self._folds = [load_trees(path, threads=threads) for path in descriptions]
        contents = [fold.description for fold in self._folds]
        check_folds(name, descriptions, contents, folds=len(descriptions))

    def predict(self, features: Floats, recipe: Recipe) -> Floats:
        names = feature_columns(recipe.names, STATISTICS)
        own = np.ascontiguousarray(features[:, [names.index(c) for c in self._folds[0].columns]])
        return average(np.stack([fold.predict(own) for fold in self._folds]))


class _Networks:
    """The networks of all folds of a member; torch is imported here and no earlier."""

    def __init__(
        self,
        name: str,
        descriptions: Sequence[Path],
        *,
        processor: Path,
        device: str,
        threads: int | None,
    ) -> None:
        import torch

        from landslip.models.device import usable_device
        from landslip.models.precision import read_processor
        from landslip.models.predict_network import load_networks

        self._folds = load_networks(
            name,
            descriptions,
            folds=len(descriptions),
            device=usable_device(device),
            processor=read_processor(processor),
            threads=threads or torch.get_num_threads(),
        )

    @cached_property
    def stack(self) -> list[str]:
        return self._folds.stack

    def predict(self, images: Images, recipe: Recipe, sensors: Sequence[str]) -> Floats:
        import torch

        places = [recipe.names.index(name) for name in self.stack]
        gone = set(recipe.sensors) - set(sensors)
        absent = missing_channels(self.stack, gone, recipe.sensor, recipe.indices)
        read = torch.from_numpy(np.ascontiguousarray(images[:, places]))
        return average(self._folds.predict(read, absent))


def _features(images: Images) -> Floats:
    """(n, channel * statistic), in the order of `feature_columns`."""
    # Late: it compiles.
    from landslip.features.statistics import patch_statistics

    return patch_statistics(images).reshape(len(images), -1)
