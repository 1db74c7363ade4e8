"""The ablation's page: every table beside the paper's figures, differences as forest plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from landslip.ablation import forest
from landslip.ablation.figure_list import FIGURES
from landslip.ablation.model_table import model_rows
from landslip.ablation.records import read_calibration, read_members
from landslip.ensemble.choice import in_words
from landslip.io.files import read_parquet, write_text
from landslip.io.templates import rows_of, template_environment
from landslip.report import wording
from landslip.report.embedded_figures import embed_figures
from landslip.report.figures import FIGURES as REPORTED
from landslip.report.trained_settings import ConfigSettings, read_trained_settings

# Figures of the report -> their number in the paper.
_PAPER_FIGURES = {
    "composites": "1",
    "dag": "2",
    "f1_threshold": "4",
    "importance": "5",
    "patches": "A.6",
    "roc": "A.7",
}


@dataclass(frozen=True, kw_only=True)
class TableText:
    """What the page says above and beside a table."""

    name: str
    title: str
    paper: str | None
    """Number of the paper's table."""
    words: Mapping[str, str]
    """Variant -> what it is."""
    left_out: Mapping[str, str]
    """Variant -> why."""


def write_page(
    *,
    texts: Sequence[TableText],
    names: Mapping[str, str],
    tables: Sequence[Path],
    confusion: Path,
    speed: Path | None,
    members: Path,
    calibration: Path,
    importance: Path,
    figures: Sequence[Path],
    report_figures: Sequence[Path],
    models: Mapping[str, Mapping[str, Any]],
    captions: Sequence[Path],
    configured: ConfigSettings,
    descriptions: Mapping[str, Sequence[Path]],
    folds: Path,
    simulated: bool,
    target: Path,
) -> None:
    """Write the page, in one file that needs no other.

    Parameters
    ----------
    texts, tables
        Of each table of variants, and its parquet file.
    names
        What models that are only the ablation's are called on the page.
    confusion, speed, members, calibration, importance
        The other files of results/ablation; speed is None where no model is a network.
    figures, report_figures
        PNG files of the ablation (see `landslip.ablation.figure_list`) and of the report (see
        `landslip.report.figures`); their names say which they are.
    models
        Name -> what `landslip.ablation.model_table.outline` says of it; the config's first.
    captions
        Texts named after the figures.
    configured
        What the config says of the ensemble's members.
    descriptions
        Member -> model.json of its folds, in order; the page warns where one says otherwise.
    folds
        folds.parquet.
    simulated
        The patches were made by a program.
    target
        HTML file to write.

    Raises
    ------
    InputError
        A file is damaged, or a figure is unknown or without a caption.
    """
    environment = template_environment(__file__)
    environment.filters.update(wording.FILTERS, seconds=seconds)
    read = [read_parquet(path) for path in tables]
    analysis = read_members(members)
    page = environment.get_template("page.html").render(
        tables=[_table(text, table) for text, table in zip(texts, read, strict=True)],
        without=_forest([{"name": name, **value} for name, value in analysis["without"].items()]),
        weightings=_forest(
            [
                {"name": name, **value["difference"]}
                for name, value in analysis["weightings"].items()
            ]
        ),
        members=analysis,
        rule_in_words=in_words((analysis["fit"], analysis["calibration"])),
        calibration=read_calibration(calibration),
        confusion=rows_of(read_parquet(confusion)),
        importance=_importance(read_parquet(importance)),
        speed=[] if speed is None else rows_of(read_parquet(speed)),
        pictures=embed_figures([*report_figures, *figures], captions, REPORTED | FIGURES),
        names=names,
        paper=_PAPER_FIGURES,
        index=_index(texts, speed is not None, [path.stem for path in report_figures]),
        models=model_rows(models),
        warnings=read_trained_settings(configured, descriptions, folds).warnings,
        simulated=simulated,
    )
    write_text(target, page)


def _index(
    texts: Sequence[TableText], timed: bool, shown: Sequence[str]
) -> dict[str, list[tuple[str, str]]]:
    """The paper's tables and figures -> where they stand on the page, in the paper's order."""
    tables = {text.paper: text.name for text in texts if text.paper is not None}
    tables |= {"3": "confusion"} | ({"9": "speed"} if timed else {})
    figures = {number: f"figure-{name}" for name, number in _PAPER_FIGURES.items() if name in shown}
    figures["3"] = "models-listed"
    return {
        kind: sorted(entries.items(), key=lambda entry: _place(entry[0]))
        for kind, entries in {"tables": tables, "figures": figures}.items()
    }


def _place(number: str) -> tuple[str, int]:
    """'10' after '9', and the appendix's 'A.6' after both."""
    letter, _, rest = number.rpartition(".")
    return letter, int(rest) if rest.isdecimal() else 0


def seconds(value: float) -> str:
    """0.00731 -> '0.0073', 47.68 -> '47.7': at least two digits that count."""
    return f"{value:.2g}" if 0 < value < 1 else f"{value:.1f}"


def _table(text: TableText, table: pd.DataFrame) -> dict[str, Any]:
    plot = _forest(rows_of(table), "difference", "difference_low", "difference_high")
    return {
        "text": text,
        "axis": plot["axis"],
        "rows": [
            {
                **row,
                "itself": row["difference_low"] == row["difference_high"] == 0,
                "what": text.words.get(row["variant"], ""),
            }
            for row in plot["rows"]
        ],
        "with_paper": bool(table[["paper_oof_f1", "paper_overall_f1"]].notna().any(axis=None)),
        "patches": int(table["patches"].iloc[0]),
    }


def _importance(table: pd.DataFrame) -> list[dict[str, Any]]:
    """One forest plot for every model and way to measure, what brings most first."""
    parts = []
    for (model, method, grouping), rows in table.groupby(
        ["model", "method", "grouping"], sort=False
    ):
        ordered = rows_of(rows.sort_values("f1", ascending=False))
        plot = _forest(ordered, "f1", "f1_low", "f1_high")
        parts.append({"model": model, "method": method, "grouping": grouping, **plot})
    return parts


def _forest(
    rows: Sequence[Mapping[str, Any]], value: str = "value", low: str = "low", high: str = "high"
) -> dict[str, Any]:
    """Rows with their marks, on one scale; the keys say which figure, and its interval."""
    scale = forest.reach(row[bound] for row in rows for bound in (low, high))
    return {
        "axis": forest.axis(scale),
        "rows": [
            {
                **row,
                "mark": forest.mark(
                    row[value], row[low], row[high], scale=scale, noise=row["contains_zero"]
                ),
            }
            for row in rows
        ],
    }
