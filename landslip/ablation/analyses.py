"""What the ensemble's out-of-fold predictions say of its members, probabilities and threshold."""

from pathlib import Path

from landslip.ablation.calibration import analyse_calibration
from landslip.ablation.confusion import confusion_table
from landslip.ablation.members import analyse_members
from landslip.ensemble.tables import read_ensemble_oof
from landslip.io.files import write_json, write_parquet


def write_analyses(
    *,
    oof: Path,
    prevalence: float,
    bootstrap: int,
    seed: int,
    members: Path,
    calibration: Path,
    confusion: Path,
) -> None:
    """Write members.json, calibration.json and confusion.parquet of results/ablation.

    Parameters
    ----------
    oof
        ensemble/oof.parquet.
    prevalence
        Share of landslides that the threshold is carried over to.
    bootstrap, seed
        Resamples of the patches, and the run's seed.
    members, calibration, confusion
        Files to write: what `analyse_members`, `analyse_calibration` and `confusion_table` give.

    Raises
    ------
    InputError
        The table is damaged.
    """
    table = read_ensemble_oof(oof)
    write_json(members, analyse_members(table, resamples=bootstrap, seed=seed))
    write_json(
        calibration,
        analyse_calibration(table, prevalence=prevalence, resamples=bootstrap, seed=seed),
    )
    counted = confusion_table(table, resamples=bootstrap, seed=seed)
    write_parquet(confusion, counted, {"split_digest": table.split_digest})
