"""What the rules share: the checked config, its tables, input functions and source digests."""

import json
import re
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path

from snakemake.common.configfile import load_configfile

from landslip.config import parse_config
from landslip.config_merge import merge_config
from landslip.data.listing import listing_digest
from landslip.data.ranges import count_lines, shards_for
from landslip.files import InputError
from landslip.models.finished import forget_all
from landslip.sources import source_digest as digest_sources
from landslip.study.outline import drawn_models, outline, variant_names
from landslip.study.plan import names_in, plan_study
from landslip.study.variants import feature_groups

ROOT = Path(workflow.basedir)

# No `configfile:` directive: Snakemake's merge would reorder the channels (see merge_config). Here
# `config` holds what --configfile and --config say; config.yaml and the study's tables are below.
SHIPPED = merge_config(
    load_configfile(ROOT / "config.yaml"),
    load_configfile(ROOT / "resources" / "configs" / "study.yaml"),
)
try:
    CONFIG = parse_config(merge_config(SHIPPED, config))
    STUDY = plan_study(CONFIG, names_in(SHIPPED))
except InputError as error:
    # One message for the person at the keyboard; a traceback would bury it.
    sys.exit(f"landslip: {error}")

# The config's models and the study's variants: settings, and what they resolve to.
JOBS = STUDY.jobs
NETWORKS = [name for name, job in JOBS.items() if job.settings.kind == "network"]
LIGHTGBMS = [name for name, job in JOBS.items() if job.settings.kind == "lightgbm"]
XGBOOSTS = [name for name, job in JOBS.items() if job.settings.kind == "xgboost"]
FOLDS = range(CONFIG.folds.n)
SIMULATED = f"{CONFIG.results}/simulated"


def one_of(names):
    """Wildcard constraint that admits just these names; with none, nothing."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


@cache
def digest_of(script):
    """Digest of every library module that a script under workflow/scripts/ imports."""
    return digest_sources(ROOT / "workflow" / "scripts" / script, ROOT)


def source_digest(script):
    """That digest as a param: computed when a job is planned, for every job's own process
    reads these rules and needs that of one script."""
    return lambda wildcards: digest_of(script)


def data_path(split, key):
    """Path of one input: as named, else inside data.folder, else simulated; or None."""
    named = getattr(getattr(CONFIG.data, split), key)
    folder = SIMULATED if CONFIG.data.simulated else CONFIG.data.folder
    names = {
        ("train", "labels"): "Train.csv",
        ("train", "patches"): "train_data",
        ("test", "ids"): "Test.csv",
        ("test", "patches"): "test_data",
        ("test", "labels"): "TestLabels.csv" if CONFIG.data.simulated else None,
    }
    name = names[split, key]
    if named is not None:
        return named if folder is None else str(Path(folder) / named)
    return f"{folder}/{name}" if name else None


def patch_listing(split):
    """Digest of the names and sizes of a patch folder; simulated ones follow from the config."""
    if CONFIG.data.simulated:
        return "simulated"
    return listing_digest(Path(data_path(split, "patches")))


def count_shards(split):
    """How many jobs share the patches of a split; more than needed where its CSV has empty lines."""
    simulation = CONFIG.data.simulation
    table = data_path(split, "labels" if split == "train" else "ids")
    patches = (
        getattr(simulation, split)
        if CONFIG.data.simulated
        else count_lines(Path(table))
    )
    return shards_for(patches, CONFIG.data.patches_per_shard)


SHARDS = {split: count_shards(split) for split in ("train", "test")}


# More than one job's share of patches: scaling is counted shard by shard too.
SCATTERED = max(SHARDS.values()) > 1


def store_shards(split, suffix="h5"):
    """Files of the shards of a store."""
    folder = f"{CONFIG.results}/store/{split}_shards"
    return [f"{folder}/shard{shard}.{suffix}" for shard in range(SHARDS[split])]


def feature_columns(model):
    """Columns of features/{split}.parquet that a tree model reads."""
    settings = JOBS[model].settings
    channels = CONFIG.channels_of(settings.inputs)
    return [f"{channel}_{name}" for channel in channels for name in settings.statistics]


def model_settings(wildcards):
    """All that a model's jobs depend on, as builtins in the order of their classes."""
    return JOBS[wildcards.model].settings.model_dump(
        mode="json", exclude={"training": {"save_minutes"}}
    )


def save_minutes(wildcards, output):
    """How often a network's state is saved.

    Takes `output` so that Snakemake leaves it out when it compares params: it changes no result.
    """
    return JOBS[wildcards.model].settings.training.save_minutes


def leases(wildcards, output):
    """How GPUs of this machine are shared out; takes `output` as `save_minutes` does."""
    return CONFIG.gpu.model_dump()


def tree_settings(wildcards):
    """Hyper-parameters of a tree model; its inputs reach the job as columns."""
    settings = model_settings(wildcards)
    return {
        key: settings[key] for key in settings if key not in ("inputs", "statistics")
    }


def architecture(wildcards):
    """Channels and timm names of a network's encoders, its head and sizes."""
    model = JOBS[wildcards.model].settings
    return {
        "channels": [CONFIG.channels_of(group) for group in model.groups],
        "encoders": [encoder.timm for encoder in JOBS[wildcards.model].encoders],
        "head": model.head,
        "features": model.features,
        "image_size": model.training.image_size,
    }


def pretrained_names(model):
    """timm names of a network's encoders that start from pretrained weights."""
    return sorted(
        {encoder.timm for encoder in JOBS[model].encoders if encoder.pretrained}
    )


def pretrained_weights(wildcards):
    """Weight files of a network's encoders; compared by the digest beside them."""
    names = pretrained_names(wildcards.model)
    return [ancient(f"resources/weights/{name}.safetensors") for name in names]


def pretrained_digests(wildcards):
    """The small files that change when weights do."""
    return [
        f"resources/weights/{name}.json" for name in pretrained_names(wildcards.model)
    ]


def weights_source(wildcards):
    """The local file named in the config for a timm model, if any."""
    named = {
        encoder.weights
        for encoder in CONFIG.encoders.values()
        if encoder.timm == wildcards.timm and encoder.weights
    }
    return sorted(named)[:1]


def scaling_file(wildcards):
    """Scaling parameters of a fold: its own, the config's, or those that a variant asks for."""
    return scaling_files(wildcards.model)[int(wildcards.fold)]


def scaling_files(model):
    """Scaling parameters of every fold of a network."""
    fit = JOBS[model].scaling_fit
    folder = f"{CONFIG.results}/features"
    if fit == "fold":
        return [f"{folder}/scaling_fold{fold}.parquet" for fold in FOLDS]
    name = "scaling" if fit == CONFIG.scaling.fit else f"scaling_{fit}"
    return [f"{folder}/{name}.parquet" for _ in FOLDS]


def fitted_splits(scope):
    """Splits whose patches scaling parameters are computed on."""
    return ["train", "test"] if scope == "all" else ["train"]


def scaling_input(scope):
    """What scaling parameters are fitted on: stores, or, of many shards, what was counted in them."""
    splits = fitted_splits(scope)
    if SCATTERED:
        ranks = f"{CONFIG.results}/features/scaling_shards/{scope}_ranks.npz"
        return {"parts": scaling_counts(scope, "lower"), "ranks": ranks}
    stores = {
        "stores": [ancient(f"{CONFIG.results}/store/{split}.h5") for split in splits],
        "store_digests": [f"{CONFIG.results}/store/{split}.digest" for split in splits],
    }
    if scope.startswith("fold"):
        stores["folds"] = f"{CONFIG.results}/data/folds.parquet"
    return stores


def scaling_counts(scope, part):
    """Files of what was counted in every shard of the patches that count."""
    folder = f"{CONFIG.results}/features/scaling_shards"
    return [
        f"{folder}/{scope}_{split}{shard}_{part}.npz"
        for split in fitted_splits(scope)
        for shard in range(SHARDS[split])
    ]


def scaling_folds(wildcards):
    """The folds, where the patches of one do not count."""
    if wildcards.scope.startswith("fold"):
        return [f"{CONFIG.results}/data/folds.parquet"]
    return []


def folds_of(model, file):
    """One file of every fold of a model."""
    return [f"{CONFIG.results}/models/{model}/fold{fold}/{file}" for fold in FOLDS]


def weights_of(model):
    """The trained weights of every fold of a model; compared by the digest in each model.json."""
    kind = JOBS[model].settings.kind
    suffix = {"network": "safetensors", "lightgbm": "txt", "xgboost": "ubj"}[kind]
    return [ancient(path) for path in folds_of(model, f"model.{suffix}")]


# What tells one shard's predictions from another's in the name of a file.
PART = "_shard{shard}" if SHARDS["test"] > 1 else ""


def predicted_files():
    """Test predictions of every fold as one job leaves them: whole, or a shard to be gathered."""
    name = "<results>/models/{model}/fold{fold}/test{part}.parquet"
    files = expand(name, fold=FOLDS, part=PART, allow_missing=True)
    return temp(files) if PART else files


def predicted_part(wildcards):
    """Which shard of the test patches a job predicts."""
    return {"shard": int(wildcards.get("shard", 0)), "shards": SHARDS["test"]}


def of_members(file):
    """One file of every fold of every member, member by member."""
    return [path for model in CONFIG.members for path in folds_of(model, file)]


TREE_MEMBERS = [name for name in CONFIG.members if name not in NETWORKS]
NETWORK_MEMBERS = [name for name in CONFIG.members if name in NETWORKS]
FIGURES = [
    "f1_threshold",
    "roc",
    "precision_recall",
    "confusion",
    "reliability",
    *(["importance"] if TREE_MEMBERS else []),
    "learning_curves",
    "composites",
    "patches",
    "mistakes",
    "dag",
    "cost",
]


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


DRAWN = drawn_models(STUDY)


def drawn_model(wildcards):
    """What the drawing of a model shows."""
    return outline(CONFIG, JOBS[DRAWN[wildcards.drawn]])


# Of the report's figures, those of the paper that the study's page shows too.
PAPER_FIGURES = [
    name
    for name in ("composites", "dag", "f1_threshold", "importance", "patches", "roc")
    if name in FIGURES
]


def config_as_text():
    """What overrides config.yaml, to run this workflow once more with it."""
    return json.dumps(config)


def rule_stages(wildcards):
    """Rule -> stage, from the file that a rule stands in; the Snakefile's own have none."""
    files = {rule.name: Path(rule.snakefile) for rule in workflow.rules}
    return {rule: file.stem for rule, file in files.items() if file.suffix == ".smk"}


def channel_modalities():
    """Channel of the store -> modality."""
    return {name: group for group, names in CONFIG.modalities.items() for name in names}


def benchmark_files():
    """Label -> benchmark file of every job that takes time."""
    folder = f"{CONFIG.results}/benchmarks"
    jobs = ["data/list_patches", "data/build_manifest", "data/assign_folds"]
    jobs += ["features/fit_scaling"]
    for split in SHARDS:
        for shard in range(SHARDS[split]):
            jobs += [f"data/survey_patches_{split}{shard}"]
            jobs += [f"data/build_store_{split}{shard}"]
            jobs += [f"features/compute_statistics_{split}{shard}"]
    if CONFIG.data.simulated:
        jobs.insert(0, "data/simulate_patches")
    if CONFIG.scaling.fit == "fold":
        jobs.remove("features/fit_scaling")
        jobs += [f"features/fit_scaling_fold{fold}" for fold in FOLDS]
    for model in CONFIG.members:
        jobs += [f"models/{model}/fold{fold}" for fold in FOLDS]
        jobs += expand(f"models/{model}/predict{PART}", shard=range(SHARDS["test"]))
    return {
        Path(*Path(job).parts[1:]).as_posix(): f"{folder}/{job}.jsonl" for job in jobs
    }


def report_facts():
    """What the report says of the config."""
    return {
        "simulated": CONFIG.data.simulated,
        "seed": CONFIG.seed,
        "scaling_fit": CONFIG.scaling.fit,
        "folds_scheme": CONFIG.folds.scheme,
        "models": {
            name: CONFIG.models[name].model_dump(mode="json") for name in CONFIG.members
        },
        "audit": "data/audit.html",
    }
