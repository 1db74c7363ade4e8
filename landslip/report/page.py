"""The report: one self-contained HTML page that says what was found and how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from landslip.data.folds import read_folds
from landslip.ensemble.records import read_metrics, read_threshold
from landslip.io.files import read_parquet, write_text
from landslip.io.templates import rows_of, template_environment
from landslip.report import verdict, wording
from landslip.report.combination import combination
from landslip.report.embedded_figures import embed_figures
from landslip.report.figures import FIGURES
from landslip.report.splits_figure import splits_paragraph
from landslip.report.trained_settings import ConfigSettings, TrainedSettings, read_trained_settings

_PACKAGES = (
    "landslip",
    "snakemake",
    "torch",
    "timm",
    "lightgbm",
    "xgboost",
    "scikit-learn",
    "numpy",
)
_MISTAKES_LISTED = 12  # of each kind

_SCALINGS = {
    "all": "all patches, training and test, without their labels (as in the paper): what the"
    " networks see of a training patch depends a little on the test patches",
    "train": "the training patches only; a fold's validation patches are among them",
    "fold": "the training part of each fold only",
}
_SCHEMES = {
    "kfold": "shuffled, not stratified",
    "stratified": "shuffled, with the same share of landslides in each",
    "grouped": "shuffled, with copies or groups of patches kept together",
    "blocks": "squares of ground whole, so that neighbours are never in two folds",
    "scene": "scenes whole, so that a fold is validated on scenes that its models never saw",
    "event": "events whole, so that a fold is validated on events that its models never saw",
}


@dataclass(frozen=True, kw_only=True)
class Configured(ConfigSettings):
    """The config's part of the report; where result files say otherwise, they are shown."""

    simulated: bool
    """The patches were made by a program."""
    audit: str
    """Address of the audit page, relative to the report."""


def write_report(
    *,
    configured: Configured,
    metrics: Path,
    threshold: Path,
    test: Path | None,
    manifest: Path,
    folds: Path,
    models: Path,
    mistakes: Path,
    cost: Path,
    speed: Path,
    splits: Path | None = None,
    descriptions: Mapping[str, Sequence[Path]],
    costs: Mapping[str, Sequence[Path]],
    figures: Sequence[Path],
    captions: Sequence[Path],
    target: Path,
) -> None:
    """Write the report as one HTML page.

    Parameters
    ----------
    configured
        What the config says.
    metrics, threshold, test
        Of the ensemble stage.
    manifest, folds
        Of the data stage.
    models, mistakes, cost, speed
        CSV tables beside the figures.
    splits
        Of patches from scenes; see `landslip.report.splits.compare_splits`.
    descriptions
        Member -> model.json of its folds, in order.
    costs
        Member -> cost.json of its folds.
    figures
        PNG files; their names say which they are (see `landslip.report.figures`). One that is not
        given is left out, and the page says so where that needs saying.
    captions
        Texts of the same names, .rst without markup.
    target
        HTML file to write.

    Raises
    ------
    InputError
        A file is damaged, a figure unknown or without a caption.
    """
    measured, chosen = read_metrics(metrics), read_threshold(threshold)
    environment = template_environment(__file__)
    environment.filters.update(wording.FILTERS)
    took = pd.read_csv(cost)
    split, digest = read_folds(folds)
    made = read_trained_settings(configured, descriptions, folds)
    page = environment.get_template("page.html").render(
        configured=configured,
        seed=made.seed,
        paragraphs=verdict.verdict(measured, chosen),
        key_figures=verdict.key_figures(measured, chosen),
        test_paragraphs=verdict.verdict_on_test(
            measured, None if test is None else read_parquet(test, ["landslide"])["landslide"]
        ),
        combination=combination(measured, costs),
        warnings=_warnings(made, measured, chosen),
        metrics=measured,
        threshold=chosen,
        data=_count_patches(manifest),
        folds=rows_of(
            split.groupby("fold")
            .agg(patches=("label", "size"), landslides=("label", "sum"))
            .reset_index()
        ),
        split_digest=digest,
        flattery=None if splits is None else splits_paragraph(splits),
        scheme=_SCHEMES[made.folds_scheme],
        scaling=_SCALINGS[made.scaling_fit],
        networks=[name for name, model in made.models.items() if model["kind"] == "network"],
        table=rows_of(pd.read_csv(models)),
        summaries=[_summarise(name, model) for name, model in made.models.items()],
        mistakes=rows_of(
            pd.read_csv(mistakes, dtype={"id": "str"}, keep_default_na=False, na_values=[""])
            .groupby("mistake", sort=False)
            .head(_MISTAKES_LISTED)
        ),
        cost=rows_of(took),
        speed=rows_of(pd.read_csv(speed)),
        cost_total=float(took["seconds"].sum()),
        versions=_versions(),
        pictures=embed_figures(figures, captions, FIGURES),
        figures=FIGURES,
    )
    write_text(target, page)


def _warnings(
    made: TrainedSettings, metrics: Mapping[str, Any], threshold: Mapping[str, Any]
) -> list[str]:
    sentences = [*made.warnings, *threshold.get("warnings", []), *metrics.get("warnings", [])]
    sentences += [
        f"On the test patches: {s}" for s in (metrics.get("test") or {}).get("warnings", [])
    ]
    return [f"{sentence[0].upper()}{sentence[1:]}." for sentence in dict.fromkeys(sentences)]


def _count_patches(manifest: Path) -> list[dict[str, Any]]:
    """One row a split: how many patches, of which label, and how many could not be used."""
    listed = read_parquet(manifest, ["split", "label", "status"])
    rows = []
    for split, part in listed.groupby("split", sort=False):
        label = part["label"].astype("Float64")
        rows.append(
            {
                "split": str(split),
                "patches": len(part),
                "landslides": int((label == 1).sum()),
                "others": int((label == 0).sum()),
                "unlabelled": int(label.isna().sum()),
                "empty": int((part["status"] == "empty").sum()),
                "dropped": int((part["status"] == "dropped").sum()),
            }
        )
    return rows


def _summarise(name: str, model: Mapping[str, Any]) -> dict[str, str]:
    """A model's settings in a few words."""
    groups = [" + ".join(g) if isinstance(g, list) else str(g) for g in model["inputs"]]
    row = {"name": name, "kind": str(model["kind"])}
    if model["kind"] != "network":
        return row | {
            "inputs": " + ".join(groups),
            "encoder": "",
            "scaling": "none needed",
            "training": f"{wording.count(model['trees'])} trees, rate {_rate(model)}",
        }
    encoder = model["encoder"]
    training = model["training"]
    return row | {
        "inputs": " | ".join(groups),
        "encoder": ", ".join(
            [*([encoder] if isinstance(encoder, str) else encoder), model["head"]]
        ),
        "scaling": str(model["scaling"]),
        "training": f"{training['epochs']} epochs, batch {training['batch_size']},"
        f" rate {_rate(training)}",
    }


def _rate(settings: Mapping[str, Any]) -> str:
    """1e-05 -> '1e-5'."""
    return f"{settings['learning_rate']:g}".replace("e-0", "e-")


def _versions() -> dict[str, str]:
    """Of the packages in the environment that makes the page, where they are installed."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
