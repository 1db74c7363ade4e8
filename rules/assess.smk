"""Accuracy stage: cells of a finished map, drawn for a person to look at, and what follows."""


rule assess:
    input:
        assess_targets(),


rule draw_sample:
    input:
        map=[ancient(path) for path in MAP_INPUTS],
        item=[ancient(path) for path in MAP_ITEM],
    output:
        sample="<results>/sample.gpkg",
        drawn="<results>/design/drawn.parquet",
        design="<results>/design/design.json",
        sums="<results>/design/design.sha256",
    log:
        "<logs>/assess/draw_sample.log",
    benchmark:
        "<benchmarks>/assess/draw_sample.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        map=CONFIG.map,
        digests=lambda wildcards: [content_digest(Path(path)) for path in MAP_INPUTS],
        settings=CONFIG.assess.model_dump(
            mode="json", exclude={"pictures", "threshold"}
        ),
        seed=CONFIG.seed,
        code=source_digest("assess/draw_sample.py"),
    script:
        "../workflow/scripts/assess/draw_sample.py"


rule picture_sample:
    input:
        plan=MAP_PLAN,
        drawn="<results>/design/drawn.parquet",
        plan_sums=f"{Path(MAP_PLAN).with_suffix('.sha256')}",
        images=MAP_SEEN,
        sums="<results>/design/design.sha256",
    output:
        page="<results>/sample.html",
    log:
        "<logs>/assess/picture_sample.log",
    benchmark:
        "<benchmarks>/assess/picture_sample.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        code=source_digest("assess/picture_sample.py"),
    script:
        "../workflow/scripts/assess/picture_sample.py"


if CONFIG.labels is not None:

    rule write_accuracy:
        input:
            labels=ancient(CONFIG.labels),
            drawn="<results>/design/drawn.parquet",
            design="<results>/design/design.json",
            sums="<results>/design/design.sha256",
        output:
            accuracy="<results>/accuracy.json",
            page="<results>/accuracy.html",
        log:
            "<logs>/assess/write_accuracy.log",
        benchmark:
            "<benchmarks>/assess/write_accuracy.jsonl"
        conda:
            "../envs/cpu.yaml"
        params:
            labels=lambda wildcards: filled_digests(CONFIG.labels),
            code=source_digest("assess/write_accuracy.py"),
        script:
            "../workflow/scripts/assess/write_accuracy.py"


if CONFIG.verdicts is not None:

    rule write_precision:
        input:
            zones=ancient(CONFIG.verdicts),
        output:
            precision="<results>/precision.json",
            page="<results>/precision.html",
        log:
            "<logs>/assess/write_precision.log",
        benchmark:
            "<benchmarks>/assess/write_precision.jsonl"
        conda:
            "../envs/cpu.yaml"
        params:
            confidence=CONFIG.assess.confidence,
            threshold=CONFIG.assess.threshold.model_dump(mode="json"),
            verdicts=lambda wildcards: filled_digests(CONFIG.verdicts),
            code=source_digest("assess/write_precision.py"),
        script:
            "../workflow/scripts/assess/write_precision.py"
