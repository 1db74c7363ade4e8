"""landslip: which patches of Sentinel-1/2 imagery show a landslide."""

from snakemake.utils import min_version

min_version("9.19")


include: "rules/common.smk"
include: "rules/common_data.smk"
include: "rules/common_ablation.smk"
include: "rules/common_report.smk"
include: "rules/common_bundle.smk"
include: "rules/common_scene.smk"
include: "rules/common_inventory.smk"
include: "rules/common_assess.smk"
include: "rules/common_runs.smk"


pathvars:
    results=CONFIG.results,
    logs=f"{CONFIG.results}/logs",
    benchmarks=f"{CONFIG.results}/benchmarks",
    resources="resources",


wildcard_constraints:
    split="train|test",
    fold=r"\d+",
    shard=r"\d+",


rule all:
    default_target: True
    input:
        if_tested("<results>/submission.csv"),
        "<results>/ensemble/metrics.json",
        "<results>/report.html",


include: "rules/scene.smk"


# A bundle is asked with nothing of the training: neither its rules nor its files.
if PREDICTING:

    include: "rules/predict.smk"

elif MAPPING:

    include: "rules/map.smk"

elif ASSESSING:

    include: "rules/assess.smk"

elif not ASKING:

    if CONFIG.data.scenes:

        include: "rules/inventory.smk"
    include: "rules/data.smk"
    include: "rules/features.smk"
    include: "rules/models.smk"
    include: "rules/ensemble.smk"
    include: "rules/report.smk"
    include: "rules/bundle.smk"

    if ABLATION_IS_VALID:

        include: "rules/ablation.smk"


# In the main process alone, and not for a dry run.
onstart:
    begin_run()


onsuccess:
    end_run()


onerror:
    take_back()
