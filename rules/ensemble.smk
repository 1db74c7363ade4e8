"""Ensemble stage: gather the folds, combine the members, choose the threshold, measure."""


rule gather_oof:
    input:
        oof=ancient(of_members("oof.parquet")),
        folds=ancient("<results>/data/folds.parquet"),
        sums=["<results>/data/folds.sha256", *of_members("files.sha256")],
    output:
        oof="<results>/ensemble/oof.parquet",
        sums="<results>/ensemble/oof.sha256",
    log:
        "<logs>/ensemble/gather_oof.log",
    benchmark:
        "<benchmarks>/ensemble/gather_oof.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        members=CONFIG.members,
        rule=CONFIG.ensemble.rule,
        calibration=CONFIG.ensemble.calibration,
        bootstrap=CONFIG.ensemble.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("ensemble/gather_oof.py"),
    script:
        "../workflow/scripts/ensemble/gather_oof.py"


rule search_threshold:
    input:
        oof=ancient("<results>/ensemble/oof.parquet"),
        sums="<results>/ensemble/oof.sha256",
    output:
        threshold="<results>/ensemble/threshold.json",
        sums="<results>/ensemble/threshold.sha256",
    log:
        "<logs>/ensemble/search_threshold.log",
    benchmark:
        "<benchmarks>/ensemble/search_threshold.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        method=CONFIG.ensemble.threshold,
        bootstrap=CONFIG.ensemble.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("ensemble/search_threshold.py"),
    script:
        "../workflow/scripts/ensemble/search_threshold.py"


rule predict_test:
    input:
        test=ancient(of_members("test.parquet")),
        threshold="<results>/ensemble/threshold.json",
        manifest=ancient("<results>/data/manifest.parquet"),
        # of patches that lack sensors
        oof=ancient("<results>/ensemble/oof.parquet"),
        descriptions=[folds_of(model, "model.json")[0] for model in CONFIG.members],
        again=expand("<results>/models/{model}/held_out.parquet", model=FLEXIBLE),
        sums=[
            *expand("<results>/ensemble/{name}.sha256", name=["oof", "threshold"]),
            "<results>/data/manifest.sha256",
            *expand("<results>/models/{model}/test.sha256", model=CONFIG.members),
            *[folds_of(model, "files.sha256")[0] for model in CONFIG.members],
            *expand("<results>/models/{model}/held_out.sha256", model=FLEXIBLE),
        ],
    output:
        test="<results>/ensemble/test.parquet",
        submission="<results>/submission.csv",
        sums="<results>/ensemble/test.sha256",
    log:
        "<logs>/ensemble/predict_test.log",
    benchmark:
        "<benchmarks>/ensemble/predict_test.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        members=CONFIG.members,
        flexible=FLEXIBLE,
        sensor=SENSOR_OF,
        indices=INDICES,
        way=combining(),
        code=source_digest("ensemble/predict_test.py"),
    script:
        "../workflow/scripts/ensemble/predict_test.py"


rule measure_ensemble:
    input:
        oof=ancient("<results>/ensemble/oof.parquet"),
        test=[ancient(path) for path in if_tested("<results>/ensemble/test.parquet")],
        threshold="<results>/ensemble/threshold.json",
        manifest=ancient("<results>/data/manifest.parquet"),
        sums=[
            *expand("<results>/ensemble/{name}.sha256", name=["oof", "threshold"]),
            *if_tested("<results>/ensemble/test.sha256"),
            "<results>/data/manifest.sha256",
        ],
    output:
        metrics="<results>/ensemble/metrics.json",
        sums="<results>/ensemble/metrics.sha256",
    log:
        "<logs>/ensemble/measure_ensemble.log",
    benchmark:
        "<benchmarks>/ensemble/measure_ensemble.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        bootstrap=CONFIG.ensemble.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("ensemble/measure_ensemble.py"),
    script:
        "../workflow/scripts/ensemble/measure_ensemble.py"
