"""What the report's rules share: its figures and settings."""

import json

from landslip.report.figures import FIGURES as ALL_FIGURES, TABLES as REPORT_TABLES
from landslip.ablation.figure_list import FIGURES as ABLATION_FIGURES

FIGURES = {
    name: figure
    for name, figure in ALL_FIGURES.items()
    if (TREE_MEMBERS or name != "importance")
    and (CONFIG.data.scenes or name != "splits")
}

# Of the report's figures, those of the paper that the ablation's page shows too.
PAPER_FIGURES = [
    name
    for name in ("composites", "dag", "f1_threshold", "importance", "patches", "roc")
    if name in FIGURES
]


def if_from_scenes(*paths):
    """Files that are there only where patches come from scenes, and say where they lie."""
    return list(paths) if CONFIG.data.scenes else []


def figure_files(figures, folder, suffix="png"):
    """Figures or tables, as Snakemake's own report shows them too."""
    mark = report  # at the start of a line that is a keyword of Snakemake's
    return [
        mark(
            f"{CONFIG.results}/{folder}/{name}.{suffix}",
            caption=f"../resources/report/{name}.rst",
            category=figure.section,
            labels={"figure": figure.title},
        )
        for name, figure in figures.items()
    ]


def config_as_text():
    """What overrides config.yaml, to run this workflow once more with it."""
    checked = CONFIG.model_dump(mode="json")
    # Said in any case: whoever names the usual folder changes nothing.
    return json.dumps({**restate(OVERRIDES, checked), "results": CONFIG.results})


def rule_stages(wildcards):
    """Rule -> stage, from the file that a rule stands in; the Snakefile's own have none."""
    files = {rule.name: Path(rule.snakefile) for rule in workflow.rules}
    return {rule: file.stem for rule, file in files.items() if file.suffix == ".smk"}


def channel_modalities():
    """Channel of the store -> modality."""
    return {name: group for group, names in CONFIG.modalities.items() for name in names}


def benchmark_files(wildcards):
    """Label -> benchmark file of every job that takes time; of shards, labels end in their number."""
    jobs = {}
    if CONFIG.data.simulated:
        jobs["simulate_patches"] = "data/simulate_patches"
    scenes = range(len(CONFIG.data.all_scenes))
    for scene in scenes:
        jobs[f"look_at_scene_{scene}"] = f"inventory/look_at_scene_{scene}"
    listing = "inventory/list_windows" if scenes else "data/list_patches"
    for job in (listing, "data/build_manifest", "data/assign_folds"):
        jobs[Path(job).name] = job
    for split in SPLITS:
        for shard in range(shards_of(split)):
            for job in ("survey_patches", "build_store"):
                jobs[f"{job}_{split}_shard{shard}"] = f"data/{job}_{split}{shard}"
        jobs[f"compute_statistics_{split}"] = f"features/compute_statistics_{split}"
    by_fold = CONFIG.scaling.fit == "fold"
    for scope in [f"fold{fold}" for fold in FOLDS] if by_fold else [CONFIG.scaling.fit]:
        name = f"fit_scaling_{scope}" if by_fold else "fit_scaling"
        jobs[name] = f"features/{name}"
    for model in CONFIG.members:
        for fold in FOLDS:
            jobs[f"{model}/fold{fold}"] = f"models/{model}/fold{fold}"
        if "test" in SPLITS:
            jobs[f"{model}/predict"] = f"models/{model}/predict"
    folder = f"{CONFIG.results}/benchmarks"
    return {label: f"{folder}/{job}.jsonl" for label, job in jobs.items()}


def measured(wildcards):
    """Those files, but for trainings that stand without one: none is repeated to be measured."""
    trained = Path(CONFIG.results) / "models"
    return [
        path
        for label, path in benchmark_files(wildcards).items()
        if Path(path).exists() or not (trained / label / "files.sha256").exists()
    ]


def report_settings():
    """What the report says of the config."""
    return {
        **trained_settings(),
        "simulated": is_simulated(),
        "audit": "data/audit.html",
    }


def trained_settings():
    """What the config says that members are trained with, which pages compare with their files."""
    return {
        "seed": CONFIG.seed,
        "scaling_fit": CONFIG.scaling.fit,
        "folds_scheme": CONFIG.folds.scheme,
        "models": {
            name: CONFIG.models[name].model_dump(mode="json") for name in CONFIG.members
        },
        "reads": {
            name: (
                {"architecture": MODELS[name].architecture}
                if name in NETWORK_MEMBERS
                else {"columns": MODELS[name].columns}
            )
            for name in CONFIG.members
        },
    }
