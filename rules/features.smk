"""Features stage: statistics of every patch for the trees, scaling of every channel for networks."""


rule compute_statistics:
    input:
        shard=ancient("<results>/store/{split}_shards/shard{shard}.h5"),
        digest="<results>/store/{split}_shards/shard{shard}.digest",
    output:
        features=temp("<results>/features/{split}_shards/shard{shard}.parquet"),
    log:
        "<logs>/features/compute_statistics_{split}{shard}.log",
    benchmark:
        "<benchmarks>/features/compute_statistics_{split}{shard}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        code=source_digest("features/compute_statistics.py"),
    script:
        "../workflow/scripts/features/compute_statistics.py"


rule join_statistics:
    input:
        parts=lambda wildcards: expand(
            f"{CONFIG.results}/features/{wildcards.split}_shards/shard{{shard}}.parquet",
            shard=range(SHARDS[wildcards.split]),
        ),
    output:
        features="<results>/features/{split}.parquet",
        digest="<results>/features/{split}.digest",
    log:
        "<logs>/features/join_statistics_{split}.log",
    benchmark:
        "<benchmarks>/features/join_statistics_{split}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        code=source_digest("features/join_statistics.py"),
    script:
        "../workflow/scripts/features/join_statistics.py"


rule fit_scaling:
    input:
        stores=ancient(
            expand(
                "<results>/store/{split}.h5",
                split=fitted_splits(CONFIG.scaling.fit),
            )
        ),
        store_digests=expand(
            "<results>/store/{split}.digest",
            split=fitted_splits(CONFIG.scaling.fit),
        ),
    output:
        scaling="<results>/features/scaling.parquet",
    log:
        "<logs>/features/fit_scaling.log",
    benchmark:
        "<benchmarks>/features/fit_scaling.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        fold=None,
        code=source_digest("features/fit_scaling.py"),
    script:
        "../workflow/scripts/features/fit_scaling.py"


use rule fit_scaling as fit_fold_scaling with:
    input:
        stores=ancient(["<results>/store/train.h5"]),
        store_digests=["<results>/store/train.digest"],
        folds="<results>/data/folds.parquet",
    output:
        scaling="<results>/features/scaling_fold{fold}.parquet",
    log:
        "<logs>/features/fit_scaling_fold{fold}.log",
    benchmark:
        "<benchmarks>/features/fit_scaling_fold{fold}.jsonl"
    params:
        fold=lambda wildcards: int(wildcards.fold),
        code=source_digest("features/fit_scaling.py"),


# For a variant of the study that fits scaling otherwise than the config.
use rule fit_scaling as fit_other_scaling with:
    input:
        stores=lambda wildcards: [
            ancient(f"{CONFIG.results}/store/{split}.h5")
            for split in fitted_splits(wildcards.fit)
        ],
        store_digests=lambda wildcards: [
            f"{CONFIG.results}/store/{split}.digest"
            for split in fitted_splits(wildcards.fit)
        ],
    output:
        scaling="<results>/features/scaling_{fit}.parquet",
    log:
        "<logs>/features/fit_scaling_{fit}.log",
    benchmark:
        "<benchmarks>/features/fit_scaling_{fit}.jsonl"
    wildcard_constraints:
        fit="all|train",
