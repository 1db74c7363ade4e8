"""What the rules share: the checked config, source digests, and files of models and scaling."""

import re
import sys
from functools import cache
from pathlib import Path

from landslip.config.bundle import with_own_results
from landslip.config.schema import parse_config
from landslip.config.files import read_config_file, read_overrides
from landslip.config.merge import merge_config, restate
from landslip.data.listing import content_digest
from landslip.io.files import InputError, check_writable
from landslip.models.encoder_check import refuse_encoders
from landslip.models.settings import TREES
from landslip.engine.sources import source_digest as digest_sources

ROOT = Path(workflow.basedir)


def refuse(error):
    """End with one message for the person at the keyboard; a traceback would bury it."""
    sys.exit(f"landslip: {error}")


def or_refuse(look, *arguments):
    """Look at what a person gave."""
    try:
        look(*arguments)
    except InputError as error:
        refuse(error)


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
    refuse(error)


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
    or_refuse(
        refuse_encoders,
        {f"models.{name}": model.encoder_uses for name, model in MODELS.items()},
    )

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


def encoder_of(wildcards):
    """The encoder of a timm name; several of one name have the same settings."""
    encoders = CONFIG.encoders.values()
    return next(encoder for encoder in encoders if encoder.timm == wildcards.timm)


def local_weights(wildcards):
    """The file that the config names for them, if any."""
    return [path for path in [encoder_of(wildcards).weights] if path]


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
# Trained without some sensors at a time, and asked about patches that lack some.
FLEXIBLE = [
    name for name in NETWORK_MEMBERS if MODELS[name].settings.training.modality_dropout
]


def if_flexible(wildcards, file):
    """A file that tells which sensors patches lack, of networks that do without."""
    return f"{CONFIG.results}/{file}" if wildcards.model in FLEXIBLE else []


SENSOR_OF = {each["name"]: each["sensor"] for each in CONFIG.channel_records()}
INDICES = {name: list(pair) for name, pair in CONFIG.indices.items()}


def combining():
    """How rules and thresholds are chosen."""
    return {
        "rule": CONFIG.ensemble.rule,
        "calibration": CONFIG.ensemble.calibration,
        "threshold": CONFIG.ensemble.threshold,
        "bootstrap": CONFIG.ensemble.bootstrap,
        "seed": CONFIG.seed,
    }


def if_tested(*paths):
    """Files that come of test patches, where there are such."""
    return list(paths) if CONFIG.data.has_test else []


def manifest_settings():
    """How patches are judged."""
    return {
        "channels": {name: channel.unit for name, channel in CONFIG.channels.items()},
        "sensors": SENSOR_OF,
        "units": {
            name: unit.model_dump(exclude={"nodata"})
            for name, unit in CONFIG.units.items()
        },
        "ndvi": CONFIG.indices.get("ndvi"),
        "on_bad_patch": CONFIG.data.on_bad_patch,
        "on_nonfinite": CONFIG.data.on_nonfinite,
        "on_zeros": CONFIG.data.on_zeros,
        "on_wrong_unit": CONFIG.data.on_wrong_unit,
        "least_data": CONFIG.predict.least_data,
        "group": CONFIG.folds.group,
    }


def store_settings():
    """What the store holds of a patch."""
    return {
        "channels": list(CONFIG.channels),
        "indices": INDICES,
        "on_nonfinite": CONFIG.data.on_nonfinite,
        "on_zeros": CONFIG.data.on_zeros,
    }
