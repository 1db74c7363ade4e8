"""What the report's rules share: its figures and facts."""

import json

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
