"""What the study's rules share: its tables, models and files."""

from dataclasses import asdict

from landslip.study.model_table import outline, variant_names
from landslip.study.variants import feature_groups


def table_rows(table):
    """Rows of one of the study's tables, as builtins."""
    return [asdict(row) for row in STUDY.tables[table]]


def table_models(table):
    """Models whose predictions a table of the study needs, each once."""
    rows = STUDY.tables[table]
    needed = [name for row in rows for name in (*row.members, *row.against_members)]
    return list(dict.fromkeys(needed))


def of_table(table, file):
    """One file of every fold of every model of a table, model by model."""
    return [path for model in table_models(table) for path in folds_of(model, file)]


def table_text(table):
    """What the page says of one of the study's tables."""
    settings = CONFIG.study.tables[table]
    return {
        "name": table,
        "title": settings.title,
        "paper": settings.paper,
        "words": STUDY.words[table],
        "left_out": STUDY.left_out.get(table, {}),
    }


def tree_groups(model):
    """Groupings of a tree model's features."""
    return feature_groups(CONFIG, JOBS[model].settings)


def input_parts(model):
    """Modalities or channels that a network reads -> channels."""
    groups = JOBS[model].settings.groups
    return {name: CONFIG.channels_of([name]) for group in groups for name in group}


# Networks of the ensemble and of the study's tables.
STUDY_NETWORKS = [
    name
    for name in dict.fromkeys(
        [
            *CONFIG.members,
            *(job for table in STUDY.tables for job in table_models(table)),
        ]
    )
    if name in NETWORKS
]
STUDY_FILES = [
    *(f"{table}.parquet" for table in STUDY.tables),
    "confusion.parquet",
    "importance.parquet",
    *(["speed.parquet"] if STUDY_NETWORKS else []),
    "members.json",
    "calibration.json",
]
