"""What the ablation's rules share: its tables, models and files."""

from dataclasses import asdict

from landslip.models.encoder_check import refused_encoders
from landslip.ablation.model_table import outline
from landslip.ablation.plan import Plan, names_in, plan_ablation
from landslip.ablation.variants import feature_groups


def warn(message):
    """Say what is wrong with the ablation: it keeps nobody from anything else."""
    if workflow.is_main_process:
        print(f"landslip: {message}", file=sys.stderr)


try:
    ABLATION, ABLATION_IS_VALID = plan_ablation(CONFIG, names_in(SHIPPED)), True
except InputError as error:
    warn(f"{error}\n  Nothing of the ablation can be made until this is mended.")
    ABLATION, ABLATION_IS_VALID = Plan(), False
# Trained by the same rules as the config's own.
MODELS.update(ABLATION.variants)


def warn_of_encoders():
    """Name the variants whose encoders do not take their images."""
    uses = {
        f"variant {name}": each.encoder_uses for name, each in ABLATION.variants.items()
    }
    for variant, lines in refused_encoders(uses).items():
        for line in lines:
            warn(f"{variant}: {line}; its training will fail")


if workflow.is_main_process and not ASKING:
    try:
        warn_of_encoders()
    except InputError as error:
        warn(error)


def table_rows(table):
    """Rows of one of the ablation's tables, as builtins."""
    return [asdict(row) for row in ABLATION.tables[table]]


def table_models(table):
    """Models whose predictions a table of the ablation needs, each once."""
    rows = ABLATION.tables[table]
    needed = [name for row in rows for name in (*row.members, *row.against_members)]
    return list(dict.fromkeys(needed))


def of_table(table, file):
    """One file of every fold of every model of a table, model by model."""
    return [path for model in table_models(table) for path in folds_of(model, file)]


def table_text(table):
    """What the page says of one of the ablation's tables."""
    settings = CONFIG.ablation.tables[table]
    return {
        "name": table,
        "title": settings.title,
        "paper": settings.paper,
        "words": ABLATION.words[table],
        "left_out": ABLATION.left_out.get(table, {}),
    }


def tree_groups(model):
    """Groupings of a tree model's features."""
    return feature_groups(CONFIG, MODELS[model].settings)


def input_parts(model):
    """Modalities or channels that a network reads -> channels."""
    return MODELS[model].parts


# Networks of the ensemble and of the ablation's tables.
ABLATION_NETWORKS = [
    name
    for name in dict.fromkeys(
        [
            *CONFIG.members,
            *(model for table in ABLATION.tables for model in table_models(table)),
        ]
    )
    if name in models_of("network")
]
ABLATION_FILES = [
    *(f"{table}.parquet" for table in ABLATION.tables),
    "confusion.parquet",
    "importance.parquet",
    *(["speed.parquet"] if ABLATION_NETWORKS else []),
    "members.json",
    "calibration.json",
]
