"""Ensemble stage: gather the folds, average the members, choose the threshold, measure."""


rule gather_oof:
    input:
        oof=of_members("oof.parquet"),
        folds="<results>/data/folds.parquet",
    output:
        oof="<results>/ensemble/oof.parquet",
    log:
        "<logs>/ensemble/gather_oof.log",
    benchmark:
        "<benchmarks>/ensemble/gather_oof.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        members=CONFIG.members,
        code=source_digest("ensemble/gather_oof.py"),
    script:
        "../workflow/scripts/ensemble/gather_oof.py"


rule search_threshold:
    input:
        oof="<results>/ensemble/oof.parquet",
    output:
        threshold="<results>/ensemble/threshold.json",
    log:
        "<logs>/ensemble/search_threshold.log",
    benchmark:
        "<benchmarks>/ensemble/search_threshold.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        method=CONFIG.ensemble.threshold,
        bootstrap=CONFIG.ensemble.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("ensemble/search_threshold.py"),
    script:
        "../workflow/scripts/ensemble/search_threshold.py"


rule predict_test:
    input:
        test=of_members("test.parquet"),
        threshold="<results>/ensemble/threshold.json",
        manifest=ancient("<results>/data/manifest.parquet"),
        manifest_digest="<results>/data/manifest.digest",
    output:
        test="<results>/ensemble/test.parquet",
        submission="<results>/submission.csv",
    log:
        "<logs>/ensemble/predict_test.log",
    benchmark:
        "<benchmarks>/ensemble/predict_test.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        members=CONFIG.members,
        code=source_digest("ensemble/predict_test.py"),
    script:
        "../workflow/scripts/ensemble/predict_test.py"


rule measure_ensemble:
    input:
        oof="<results>/ensemble/oof.parquet",
        test="<results>/ensemble/test.parquet",
        threshold="<results>/ensemble/threshold.json",
        manifest=ancient("<results>/data/manifest.parquet"),
        manifest_digest="<results>/data/manifest.digest",
    output:
        metrics="<results>/ensemble/metrics.json",
    log:
        "<logs>/ensemble/measure_ensemble.log",
    benchmark:
        "<benchmarks>/ensemble/measure_ensemble.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        bootstrap=CONFIG.ensemble.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("ensemble/measure_ensemble.py"),
    script:
        "../workflow/scripts/ensemble/measure_ensemble.py"
