"""What the rules share: the checked config, its tables, input functions and source digests."""

import re
import sys
from functools import cache
from pathlib import Path

from landslip.config.bundle import with_own_results
from landslip.config.schema import parse_config
from landslip.config.files import read_config_file, read_overrides
from landslip.config.merge import merge_config, restate
from landslip.data.listing import check_sources, content_digest, listing_digest
from landslip.data.ranges import count_lines, shards_for
from landslip.io.files import InputError, check_writable
from landslip.models.encoder_check import refuse_encoders
from landslip.models.settings import TREES
from landslip.engine.sources import source_digest as digest_sources

ROOT = Path(workflow.basedir)

# No `configfile:` directive: Snakemake's merge would reorder the channels (see merge_config). Nor
# is its `config` used: of --configfile and --config it has what its own reader left of them.
try:
    SHIPPED = merge_config(
        read_config_file(ROOT / "config.yaml"),
        read_config_file(ROOT / "resources" / "configs" / "ablation.yaml"),
    )
    OVERRIDES = with_own_results(
        read_overrides(
            workflow.config_settings.configfiles, workflow.config_settings.config_args
        ),
        {
            "patches": "results/predict",
            "scene": "results/scene",
            "folder": "results/scene",
            "map": "results/assess",
        },
    )
    CONFIG = parse_config(merge_config(SHIPPED, OVERRIDES))
    # Snakemake keeps its records here, and answers with a traceback where it cannot.
    check_writable(Path.cwd(), "work in another folder")
except InputError as error:
    # One message for the person at the keyboard; a traceback would bury it.
    sys.exit(f"landslip: {error}")


# The config's models, and what they resolve to. The ablation adds its variants.
MODELS = CONFIG.resolved_models()

# A bundle is asked about new patches or a scene, a map is assessed, or a folder of scenes is looked
# at: with nothing of the training.
PREDICTING = CONFIG.patches is not None
MAPPING = CONFIG.scene.path is not None
ASSESSING = CONFIG.map is not None
ASKING = PREDICTING or MAPPING or ASSESSING or CONFIG.folder is not None

# Jobs read these rules in processes of their own; one look is enough.
if workflow.is_main_process and not ASKING:
    try:
        refuse_encoders(
            {f"models.{name}": model.encoder_uses for name, model in MODELS.items()}
        )
    except InputError as error:
        sys.exit(f"landslip: {error}")

FOLDS = range(CONFIG.folds.n)
# Scenes may come without any to test on: what needs test patches is left out then.
SPLITS = ["train", "test"] if CONFIG.data.has_test else ["train"]
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
    """Path of one input: as the config has it, else simulated; or None."""
    if not CONFIG.data.simulated:
        return None if CONFIG.data.scenes else CONFIG.data.path_of(split, key)
    simulated = {
        ("train", "labels"): "Train.csv",
        ("train", "patches"): "train_data",
        ("test", "ids"): "Test.csv",
        ("test", "patches"): "test_data",
        ("test", "labels"): "TestLabels.csv",
    }
    return f"{SIMULATED}/{simulated[split, key]}"


# The user's tables, which their contents decide and not their times of change.
TABLES = {
    name: data_path(*key)
    for name, key in {
        "labels": ("train", "labels"),
        "ids": ("test", "ids"),
        "test_labels": ("test", "labels"),
    }.items()
}


def table_input(name):
    """One of the tables, as an input; nothing where there is none."""
    path = TABLES[name]
    return [] if path is None else path if CONFIG.data.simulated else ancient(path)


def table_digests(wildcards):
    """Digest of each of the user's tables, or of the inventories of scenes."""
    if CONFIG.data.simulated:
        return "simulated"
    if CONFIG.data.scenes:
        return [
            content_digest(file)
            for path in [*CONFIG.data.inventory, *CONFIG.data.verdicts]
            for file in files_of_inventory(Path(path))
        ]
    return {name: content_digest(Path(path)) for name, path in TABLES.items() if path}


@cache
def patch_listing(split):
    """Digest of the names and sizes of a patch folder; simulated ones follow from the config."""
    if CONFIG.data.simulated:
        return "simulated"
    if CONFIG.data.scenes:
        # Of all scenes, which are no split's alone as far as labels go.
        return [
            digest_of_scene(number) for number in range(len(CONFIG.data.all_scenes))
        ]
    return listing_digest(Path(data_path(split, "patches")))


def patch_folders(*splits):
    """Folders that patches are read from, each as one input.

    Snakemake looks at the folder and at no file in it: `patch_listing` says what is there, and of
    simulated ones `patch_sums`. Their times of change mean nothing, as a copy of results has others.
    """
    folders = [data_path(split, "patches") for split in splits]
    if CONFIG.data.simulated:
        return [ancient(path) for path in folders]
    folders += [CONFIG.data.links_into] if CONFIG.data.links_into else []
    # One that is not there is refused by `listing_digest`, which says what to do.
    return [ancient(path) for path in dict.fromkeys(folders) if Path(path).is_dir()]


def patch_sums():
    """The sums file that changes when a simulated patch does."""
    return [f"{SIMULATED}/tables.sha256"] if CONFIG.data.simulated else []


@cache
def shards_of(split):
    """How many jobs share the patches of a split; more than needed where its CSV has empty lines.

    Counted when it is asked for: most jobs' own processes never do. How many windows of scenes are
    patches is known once they are labelled; there are as many shards as scenes.
    """
    if CONFIG.data.scenes:
        return len(CONFIG.data.scenes if split == "train" else CONFIG.data.test.scenes)
    simulation = CONFIG.data.simulation
    table = data_path(split, "labels" if split == "train" else "ids")
    patches = (
        getattr(simulation, split)
        if CONFIG.data.simulated
        else count_lines(Path(table))
    )
    return shards_for(patches, CONFIG.data.patches_per_shard)


# Jobs read these rules in processes of their own; one look is enough.
if workflow.is_main_process and not ASKING:
    try:
        check_sources(
            *CONFIG.data.all_scenes,
            *CONFIG.data.inventory,
            *CONFIG.data.verdicts,
            data_path("train", "labels"),
            data_path("test", "ids"),
            data_path("test", "labels"),
            *(encoder.weights for encoder in CONFIG.encoders.values()),
        )
        for split in SPLITS:
            shards_of(split)
    except InputError as error:
        sys.exit(f"landslip: {error}")


def store_shards(split, suffix="h5"):
    """Files of the shards of a store."""
    folder = f"{CONFIG.results}/store/{split}_shards"
    return [f"{folder}/shard{shard}.{suffix}" for shard in range(shards_of(split))]


def pixels_of(*splits):
    """Files of pixels that an index of the store is a view of: it says itself whether they changed."""
    return [
        ancient(path) for split in splits for path in store_shards(split, "pixels.h5")
    ]


def surveys(suffix):
    """Files of the surveys of all patches."""
    return [
        f"{CONFIG.results}/data/surveys/{split}{shard}.{suffix}"
        for split in SPLITS
        for shard in range(shards_of(split))
    ]


def models_of(kind):
    """Names of the models of a kind."""
    return [name for name, model in MODELS.items() if model.settings.kind == kind]


def model_settings(wildcards):
    """All that a model's jobs depend on, as builtins in the order of their classes."""
    return MODELS[wildcards.model].params()


def save_minutes(wildcards, output):
    """How often a network's state is saved.

    Takes `output` so that Snakemake leaves it out when it compares params: it changes no result.
    """
    return MODELS[wildcards.model].settings.training.save_minutes


def leases(wildcards, output):
    """How GPUs of this machine are shared out; takes `output` as `save_minutes` does."""
    return CONFIG.gpu.model_dump()


def architecture(wildcards):
    """Channels and timm names of a network's encoders, its head and sizes."""
    return MODELS[wildcards.model].architecture


def dropped_sensors(wildcards):
    """Channel -> sensors that it comes from, of networks that are trained without some."""
    model = MODELS[wildcards.model]
    if not model.settings.training.modality_dropout:
        return {}
    read = {name for group in model.channels for name in group}
    return {name: own for name, own in CONFIG.channel_sensors.items() if name in read}


def pretrained_weights(wildcards):
    """Weight files of a network's encoders."""
    return [ancient(path) for path in pretrained_files("safetensors")(wildcards)]


def pretrained_files(suffix):
    """What stands beside those weights; of the sums, small files, changes are seen."""
    return lambda wildcards: [
        f"resources/weights/{name}.{suffix}"
        for name in MODELS[wildcards.model].pretrained
    ]


def weights_source(wildcards):
    """The local file named in the config for a timm model, if any."""
    return [ancient(path) for path in local_weights(wildcards.timm)]


def local_weights(timm):
    """The same as a path."""
    named = {
        encoder.weights
        for encoder in CONFIG.encoders.values()
        if encoder.timm == timm and encoder.weights
    }
    return sorted(named)[:1]


def weights_expected(wildcards):
    """What the config says of the weights of a timm model."""
    configured = (e for e in CONFIG.encoders.values() if e.timm == wildcards.timm)
    return next(configured).model_dump(include={"sha256", "bands"})


def weights_digest(wildcards):
    """Digest of that file."""
    return [content_digest(Path(path)) for path in local_weights(wildcards.timm)]


def scaling_file(wildcards):
    """Scaling parameters of a fold: its own, the config's, or those that a variant asks for."""
    return scaling_files(wildcards.model)[int(wildcards.fold)]


def scaling_sums(wildcards):
    """Sums of that file."""
    return scaling_files(wildcards.model, "sha256")[int(wildcards.fold)]


def scaling_files(model, suffix="parquet"):
    """Scaling parameters of every fold of a network."""
    fit = MODELS[model].scaling_fit
    folder = f"{CONFIG.results}/features"
    if fit == "fold":
        return [f"{folder}/scaling_fold{fold}.{suffix}" for fold in FOLDS]
    name = "scaling" if fit == CONFIG.scaling.fit else f"scaling_{fit}"
    return [f"{folder}/{name}.{suffix}" for _ in FOLDS]


def scaling_scope(suffix):
    """Patches that scaling parameters are computed on: all, train or fold<k>."""
    return suffix.removeprefix("_") or CONFIG.scaling.fit


def scaling_input(wildcards):
    """Stores that scaling parameters are fitted on; the folds, where those of one do not count."""
    scope = scaling_scope(wildcards.scope)
    splits = SPLITS if scope == "all" else ["train"]
    store, folds = f"{CONFIG.results}/store", f"{CONFIG.results}/data/folds"
    of_fold = scope.startswith("fold")
    return {
        "stores": [ancient(f"{store}/{split}.h5") for split in splits],
        "pixels": pixels_of(*splits),
        "folds": [ancient(f"{folds}.parquet")] if of_fold else [],
        "sums": [
            *(f"{store}/{split}.sha256" for split in splits),
            *([f"{folds}.sha256"] if of_fold else []),
        ],
    }


def folds_of(model, file):
    """One file of every fold of a model."""
    return [f"{CONFIG.results}/models/{model}/fold{fold}/{file}" for fold in FOLDS]


def weights_of(model):
    """The trained weights of every fold of a model."""
    weights = f"model{MODELS[model].settings.suffix}"
    return [ancient(path) for path in folds_of(model, weights)]


def of_members(file):
    """One file of every fold of every member, member by member."""
    return [path for model in CONFIG.members for path in folds_of(model, file)]


NETWORK_MEMBERS = [name for name in CONFIG.members if name in models_of("network")]
TREE_MEMBERS = [name for name in CONFIG.members if name not in NETWORK_MEMBERS]


def if_tested(*paths):
    """Files that come of test patches, where there are such."""
    return list(paths) if CONFIG.data.has_test else []


def manifest_settings():
    """How patches are judged."""
    return {
        "channels": {name: channel.unit for name, channel in CONFIG.channels.items()},
        "units": {
            name: unit.model_dump(exclude={"nodata"})
            for name, unit in CONFIG.units.items()
        },
        "ndvi": CONFIG.indices.get("ndvi"),
        "on_bad_patch": CONFIG.data.on_bad_patch,
        "on_nonfinite": CONFIG.data.on_nonfinite,
        "on_zeros": CONFIG.data.on_zeros,
        "on_wrong_unit": CONFIG.data.on_wrong_unit,
        "group": CONFIG.folds.group,
    }


def store_settings():
    """What the store holds of a patch."""
    return {
        "channels": list(CONFIG.channels),
        "indices": {name: list(pair) for name, pair in CONFIG.indices.items()},
        "on_nonfinite": CONFIG.data.on_nonfinite,
        "on_zeros": CONFIG.data.on_zeros,
    }
