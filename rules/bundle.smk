"""Bundle stage: the trained ensemble in one folder and one .zip."""


rule bundle:
    input:
        "<results>/bundle/bundle.json",
        "<results>/bundle.zip",


rule predict_held_out:
    input:
        descriptions=lambda wildcards: folds_of(wildcards.model, "model.json"),
        weights=lambda wildcards: weights_of(wildcards.model),
        store=ancient("<results>/store/train.h5"),
        pixels=lambda wildcards: pixels_of("train"),
        folds=ancient("<results>/data/folds.parquet"),
        processor=ancient("<results>/models/processor.json"),
        sums=["<results>/store/train.sha256", "<results>/data/folds.sha256"],
        model_sums=lambda wildcards: folds_of(wildcards.model, "files.sha256"),
        processor_sums=ancient("<results>/models/processor.sha256"),
    output:
        predictions="<results>/models/{model}/held_out.parquet",
        sums="<results>/models/{model}/held_out.sha256",
    log:
        "<logs>/bundle/predict_held_out_{model}.log",
    benchmark:
        "<benchmarks>/bundle/predict_held_out_{model}.jsonl"
    wildcard_constraints:
        model=one_of(dict.fromkeys([*FLEXIBLE, *ROUNDED])),
    conda:
        "../envs/gpu.yaml"
    threads: 4
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        sensor=SENSOR_OF,
        indices=INDICES,
        fewer=lambda wildcards: wildcards.model in FLEXIBLE,
        rounded=lambda wildcards: wildcards.model in ROUNDED,
        leases=leases,
        code=source_digest("bundle/predict_held_out.py"),
    script:
        "../workflow/scripts/bundle/predict_held_out.py"


rule write_bundle:
    input:
        descriptions=bundled("model.json"),
        weights=bundled_weights(),
        again=expand("<results>/models/{model}/held_out.parquet", model=ASKED_AGAIN),
        oof=ancient("<results>/ensemble/oof.parquet"),
        threshold="<results>/ensemble/threshold.json",
        folds=ancient("<results>/data/folds.parquet"),
        listing="<results>/data/listing.json",
        surveys=lambda wildcards: [
            ancient(path)
            for path in surveys("npz")
            if Path(path).name.startswith("train")
        ],
        features=ancient("<results>/features/train.parquet"),
        scaling=(
            ancient(f"<results>/features/scaling.parquet")
            if CONFIG.scaling.fit != "fold"
            else []
        ),
        processor=ancient("<results>/models/processor.json") if NETWORK_MEMBERS else [],
        sums=[
            "<results>/ensemble/oof.sha256",
            "<results>/ensemble/threshold.sha256",
            "<results>/data/folds.sha256",
            "<results>/data/listing.sha256",
            "<results>/features/train.sha256",
        ],
        scaling_sums=(
            ["<results>/features/scaling.sha256"]
            if CONFIG.scaling.fit != "fold"
            else []
        ),
        processor_sums=(
            ancient("<results>/models/processor.sha256") if NETWORK_MEMBERS else []
        ),
        survey_sums=lambda wildcards: [
            path for path in surveys("sha256") if Path(path).name.startswith("train")
        ],
        model_sums=bundled("files.sha256"),
        again_sums=expand("<results>/models/{model}/held_out.sha256", model=ASKED_AGAIN),
    output:
        # With the whole folder, which seals itself. As a directory it would get a file of Snakemake's.
        index="<results>/bundle/bundle.json",
        archive="<results>/bundle.zip",
        sums="<results>/bundle.sha256",
    log:
        "<logs>/bundle/write_bundle.log",
    benchmark:
        "<benchmarks>/bundle/write_bundle.jsonl"
    conda:
        "../envs/gpu.yaml"
    params:
        settings=bundle_settings(),
        again=ASKED_AGAIN,
        code=source_digest("bundle/write_bundle.py"),
    script:
        "../workflow/scripts/bundle/write_bundle.py"
