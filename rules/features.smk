"""Features stage: statistics of every patch for the trees, scaling of every channel for networks."""


rule compute_statistics:
    input:
        shard=ancient("<results>/store/{split}_shards/shard{shard}.h5"),
        pixels=ancient("<results>/store/{split}_shards/shard{shard}.pixels.h5"),
        sums="<results>/store/{split}_shards/shard{shard}.sha256",
    output:
        features=temp("<results>/features/{split}_shards/shard{shard}.parquet"),
        sums=temp("<results>/features/{split}_shards/shard{shard}.sha256"),
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
        parts=lambda wildcards: [
            ancient(path) for path in feature_shards(wildcards.split, "parquet")
        ],
        sums=lambda wildcards: feature_shards(wildcards.split, "sha256"),
    output:
        features="<results>/features/{split}.parquet",
        sums="<results>/features/{split}.sha256",
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
        unpack(lambda wildcards: scaling_input(CONFIG.scaling.fit)),
    output:
        scaling="<results>/features/scaling.parquet",
        sums="<results>/features/scaling.sha256",
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
        fit=lambda wildcards: wildcards.get("fit", CONFIG.scaling.fit),
        code=source_digest("features/fit_scaling.py"),
    script:
        "../workflow/scripts/features/fit_scaling.py"


use rule fit_scaling as fit_fold_scaling with:
    input:
        unpack(lambda wildcards: scaling_input(f"fold{wildcards.fold}")),
    output:
        scaling="<results>/features/scaling_fold{fold}.parquet",
        sums="<results>/features/scaling_fold{fold}.sha256",
    log:
        "<logs>/features/fit_scaling_fold{fold}.log",
    benchmark:
        "<benchmarks>/features/fit_scaling_fold{fold}.jsonl"
    params:
        fold=lambda wildcards: int(wildcards.fold),
        fit="fold",
        code=source_digest("features/fit_scaling.py"),


# For a variant of the study that fits scaling otherwise than the config.
use rule fit_scaling as fit_other_scaling with:
    input:
        unpack(lambda wildcards: scaling_input(wildcards.fit)),
    output:
        scaling="<results>/features/scaling_{fit}.parquet",
        sums="<results>/features/scaling_{fit}.sha256",
    log:
        "<logs>/features/fit_scaling_{fit}.log",
    benchmark:
        "<benchmarks>/features/fit_scaling_{fit}.jsonl"
    wildcard_constraints:
        fit="all|train",


# Where the patches are more than one job's share: {scope} is all, train or fold<k>, the patches
# that count.
if SCATTERED:

    rule count_upper:
        input:
            shard=ancient("<results>/store/{split}_shards/shard{shard}.h5"),
            pixels=ancient("<results>/store/{split}_shards/shard{shard}.pixels.h5"),
            first=ancient("<results>/store/train_shards/shard0.h5"),
            first_pixels=ancient("<results>/store/train_shards/shard0.pixels.h5"),
            folds=scaling_folds,
            sums=[
                "<results>/store/{split}_shards/shard{shard}.sha256",
                "<results>/store/train_shards/shard0.sha256",
            ],
            folds_sums=scaling_folds_sums,
        output:
            counts=temp(
                "<results>/features/scaling_shards/{scope}_{split}{shard}_upper.npz"
            ),
            sums=temp(
                "<results>/features/scaling_shards/{scope}_{split}{shard}_upper.sha256"
            ),
        log:
            "<logs>/features/count_upper_{scope}_{split}{shard}.log",
        benchmark:
            "<benchmarks>/features/count_upper_{scope}_{split}{shard}.jsonl"
        wildcard_constraints:
            scope=r"all|train|fold\d+",
        conda:
            "../envs/cpu.yaml"
        threads: 8
        resources:
            mem_mb=lambda wildcards, attempt: 4000 * attempt,
            runtime=lambda wildcards, attempt: 30 * attempt,
        params:
            code=source_digest("features/count_upper.py"),
        script:
            "../workflow/scripts/features/count_upper.py"

    rule gather_upper:
        input:
            parts=lambda wildcards: scaling_counts(wildcards.scope, "upper.npz"),
            sums=lambda wildcards: scaling_counts(wildcards.scope, "upper.sha256"),
        output:
            ranks="<results>/features/scaling_shards/{scope}_ranks.npz",
            sums="<results>/features/scaling_shards/{scope}_ranks.sha256",
        log:
            "<logs>/features/gather_upper_{scope}.log",
        benchmark:
            "<benchmarks>/features/gather_upper_{scope}.jsonl"
        wildcard_constraints:
            scope=r"all|train|fold\d+",
        conda:
            "../envs/cpu.yaml"
        resources:
            mem_mb=lambda wildcards, attempt: 2000 * attempt,
            runtime=lambda wildcards, attempt: 30 * attempt,
        params:
            code=source_digest("features/gather_upper.py"),
        script:
            "../workflow/scripts/features/gather_upper.py"

    rule count_lower:
        input:
            shard=ancient("<results>/store/{split}_shards/shard{shard}.h5"),
            pixels=ancient("<results>/store/{split}_shards/shard{shard}.pixels.h5"),
            ranks="<results>/features/scaling_shards/{scope}_ranks.npz",
            folds=scaling_folds,
            sums=[
                "<results>/store/{split}_shards/shard{shard}.sha256",
                "<results>/features/scaling_shards/{scope}_ranks.sha256",
            ],
            folds_sums=scaling_folds_sums,
        output:
            counts=temp(
                "<results>/features/scaling_shards/{scope}_{split}{shard}_lower.npz"
            ),
            sums=temp(
                "<results>/features/scaling_shards/{scope}_{split}{shard}_lower.sha256"
            ),
        log:
            "<logs>/features/count_lower_{scope}_{split}{shard}.log",
        benchmark:
            "<benchmarks>/features/count_lower_{scope}_{split}{shard}.jsonl"
        wildcard_constraints:
            scope=r"all|train|fold\d+",
        conda:
            "../envs/cpu.yaml"
        threads: 8
        resources:
            mem_mb=lambda wildcards, attempt: 4000 * attempt,
            runtime=lambda wildcards, attempt: 30 * attempt,
        params:
            code=source_digest("features/count_lower.py"),
        script:
            "../workflow/scripts/features/count_lower.py"
