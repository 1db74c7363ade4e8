"""Models stage: pretrained weights, a training for every (model, fold), test predictions."""


rule fetch_weights:
    input:
        local=lambda wildcards: [ancient(path) for path in local_weights(wildcards)],
    output:
        weights="<resources>/weights/{timm}.safetensors",
        description="<resources>/weights/{timm}.json",
        sums="<resources>/weights/{timm}.sha256",
    log:
        "<logs>/models/fetch_weights_{timm}.log",
    benchmark:
        "<benchmarks>/models/fetch_weights_{timm}.jsonl"
    wildcard_constraints:
        timm=one_of([encoder.timm for encoder in CONFIG.encoders.values()]),
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        expected=lambda wildcards: encoder_of(wildcards).model_dump(
            include={"sha256", "bands"}
        ),
        local=lambda wildcards: [
            content_digest(Path(path)) for path in local_weights(wildcards)
        ],
        code=source_digest("models/fetch_weights.py"),
    script:
        "../workflow/scripts/models/fetch_weights.py"


# Once a run: where the folds of a model are trained on different machines, they are to agree. Its
# code is no param, for what was measured stays in force; besides, Snakemake looks for no changes in
# jobs after one that reruns, and would leave out trainings whose code changed with this one's.
rule measure_processor:
    output:
        processor="<results>/models/processor.json",
        sums="<results>/models/processor.sha256",
    log:
        "<logs>/models/measure_processor.log",
    benchmark:
        "<benchmarks>/models/measure_processor.jsonl"
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow/scripts/models/measure_processor.py"


rule train_network:
    input:
        train_store=ancient("<results>/store/train.h5"),
        pixels=lambda wildcards: pixels_of("train"),
        scaling=scaling_file,
        folds=ancient("<results>/data/folds.parquet"),
        pretrained=pretrained_weights,
        pretrained_descriptions=pretrained_files("json"),
        # What was measured once stays in force, so that nothing is trained anew for it.
        processor=ancient("<results>/models/processor.json"),
        sums=["<results>/store/train.sha256", "<results>/data/folds.sha256"],
        scaling_sums=scaling_sums,
        pretrained_sums=pretrained_files("sha256"),
        processor_sums=ancient("<results>/models/processor.sha256"),
    output:
        weights="<results>/models/{model}/fold{fold}/model.safetensors",
        description="<results>/models/{model}/fold{fold}/model.json",
        oof="<results>/models/{model}/fold{fold}/oof.parquet",
        history="<results>/models/{model}/fold{fold}/history.parquet",
        cost="<results>/models/{model}/fold{fold}/cost.json",
        sums="<results>/models/{model}/fold{fold}/files.sha256",
    log:
        "<logs>/models/{model}/fold{fold}.log",
    benchmark:
        "<benchmarks>/models/{model}/fold{fold}.jsonl"
    wildcard_constraints:
        model=one_of(models_of("network")),
    conda:
        "../envs/gpu.yaml"
    threads: 4
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
        # SLURM asks a training to save and end two minutes before its time is up.
        slurm_extra="'--signal=TERM@120'",
    params:
        settings=model_settings,
        architecture=lambda wildcards: MODELS[wildcards.model].architecture,
        sensors=dropped_sensors,
        seed=CONFIG.seed,
        # No output: it outlives a killed job, and the next one goes on from it.
        resume=subpath(output.weights, with_suffix=".resume"),
        save_minutes=save_minutes,
        leases=leases,
        code=source_digest("models/train_network.py"),
    script:
        "../workflow/scripts/models/train_network.py"


# One rule a library, so that a profile can give each its own resources.
for kind, library in TREES.items():

    rule:
        name:
            f"train_{kind}"
        input:
            features=ancient("<results>/features/train.parquet"),
            folds=ancient("<results>/data/folds.parquet"),
            sums=["<results>/features/train.sha256", "<results>/data/folds.sha256"],
        output:
            weights=f"<results>/models/{{model}}/fold{{fold}}/model{library.suffix}",
            description="<results>/models/{model}/fold{fold}/model.json",
            oof="<results>/models/{model}/fold{fold}/oof.parquet",
            history="<results>/models/{model}/fold{fold}/history.parquet",
            cost="<results>/models/{model}/fold{fold}/cost.json",
            importance="<results>/models/{model}/fold{fold}/importance.parquet",
            sums="<results>/models/{model}/fold{fold}/files.sha256",
        log:
            "<logs>/models/{model}/fold{fold}.log",
        benchmark:
            "<benchmarks>/models/{model}/fold{fold}.jsonl"
        wildcard_constraints:
            model=one_of(models_of(kind)),
        conda:
            "../envs/cpu.yaml"
        # Each further thread brings less: of some thousand patches and 126 columns, 12,000 trees took
        # 77 s on one and 57 s on two. Folds and models side by side use all cores better.
        threads: 1
        params:
            settings=model_settings,
            seed=CONFIG.seed,
            leases=leases,
            code=source_digest("models/train_trees.py"),
        script:
            "../workflow/scripts/models/train_trees.py"


rule predict_network:
    input:
        descriptions=lambda wildcards: folds_of(wildcards.model, "model.json"),
        weights=lambda wildcards: weights_of(wildcards.model),
        store=ancient("<results>/store/test.h5"),
        pixels=lambda wildcards: pixels_of("test"),
        processor=ancient("<results>/models/processor.json"),
        manifest=lambda wildcards: if_flexible(wildcards, "data/manifest.parquet"),
        manifest_sums=lambda wildcards: if_flexible(wildcards, "data/manifest.sha256"),
        sums="<results>/store/test.sha256",
        model_sums=lambda wildcards: folds_of(wildcards.model, "files.sha256"),
        processor_sums=ancient("<results>/models/processor.sha256"),
    output:
        predictions=expand(
            "<results>/models/{model}/fold{fold}/test.parquet",
            fold=FOLDS,
            allow_missing=True,
        ),
        sums="<results>/models/{model}/test.sha256",
    log:
        "<logs>/models/{model}/predict.log",
    benchmark:
        "<benchmarks>/models/{model}/predict.jsonl"
    wildcard_constraints:
        model=one_of(NETWORK_MEMBERS),
    conda:
        "../envs/gpu.yaml"
    threads: 4
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        sensor=lambda wildcards: SENSOR_OF if wildcards.model in FLEXIBLE else {},
        indices=lambda wildcards: INDICES if wildcards.model in FLEXIBLE else {},
        leases=leases,
        code=source_digest("models/predict_network.py"),
    script:
        "../workflow/scripts/models/predict_network.py"


rule predict_trees:
    input:
        descriptions=lambda wildcards: folds_of(wildcards.model, "model.json"),
        weights=lambda wildcards: weights_of(wildcards.model),
        features=ancient("<results>/features/test.parquet"),
        sums="<results>/features/test.sha256",
        model_sums=lambda wildcards: folds_of(wildcards.model, "files.sha256"),
    output:
        predictions=expand(
            "<results>/models/{model}/fold{fold}/test.parquet",
            fold=FOLDS,
            allow_missing=True,
        ),
        sums="<results>/models/{model}/test.sha256",
    log:
        "<logs>/models/{model}/predict.log",
    benchmark:
        "<benchmarks>/models/{model}/predict.jsonl"
    wildcard_constraints:
        model=one_of(TREE_MEMBERS),
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=source_digest("models/predict_trees.py"),
    script:
        "../workflow/scripts/models/predict_trees.py"
