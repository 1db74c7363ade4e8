"""Models stage: one job for every (model, fold), and the pretrained weights they start from."""


rule fetch_weights:
    input:
        local=weights_source,
    output:
        weights="<resources>/weights/{timm}.safetensors",
        description="<resources>/weights/{timm}.json",
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
        sha256=lambda wildcards: next(
            (e.sha256 for e in CONFIG.encoders.values() if e.timm == wildcards.timm),
            None,
        ),
        code=source_digest("models/fetch_weights.py"),
    script:
        "../workflow/scripts/models/fetch_weights.py"


rule train_network:
    input:
        train_store=ancient("<results>/store/train.h5"),
        train_digest="<results>/store/train.digest",
        test_store=ancient("<results>/store/test.h5"),
        test_digest="<results>/store/test.digest",
        scaling=scaling_file,
        folds="<results>/data/folds.parquet",
        pretrained=pretrained_weights,
        pretrained_digests=pretrained_digests,
    output:
        weights="<results>/models/{model}/fold{fold}/model.safetensors",
        description="<results>/models/{model}/fold{fold}/model.json",
        oof="<results>/models/{model}/fold{fold}/oof.parquet",
        test="<results>/models/{model}/fold{fold}/test.parquet",
        history="<results>/models/{model}/fold{fold}/history.parquet",
        cost="<results>/models/{model}/fold{fold}/cost.json",
    log:
        "<logs>/models/{model}/fold{fold}.log",
    benchmark:
        "<benchmarks>/models/{model}/fold{fold}.jsonl"
    wildcard_constraints:
        model=one_of(NETWORKS),
    conda:
        "../envs/gpu.yaml"
    threads: 4
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        settings=model_settings,
        architecture=architecture,
        seed=CONFIG.seed,
        # No output: it outlives a killed job, and the next one goes on from it.
        resume=subpath(output.weights, with_suffix=".resume"),
        # Machine code of torch.compile, kept for the next fold.
        compiled=subpath(output.weights, ancestor=2),
        save_minutes=save_minutes,
        leases=leases,
        code=source_digest("models/train_network.py"),
    script:
        "../workflow/scripts/models/train_network.py"


rule train_lightgbm:
    input:
        features=ancient("<results>/features/train.parquet"),
        features_digest="<results>/features/train.digest",
        test_features=ancient("<results>/features/test.parquet"),
        test_features_digest="<results>/features/test.digest",
        folds="<results>/data/folds.parquet",
    output:
        weights="<results>/models/{model}/fold{fold}/model.txt",
        description="<results>/models/{model}/fold{fold}/model.json",
        oof="<results>/models/{model}/fold{fold}/oof.parquet",
        test="<results>/models/{model}/fold{fold}/test.parquet",
        history="<results>/models/{model}/fold{fold}/history.parquet",
        cost="<results>/models/{model}/fold{fold}/cost.json",
        importance="<results>/models/{model}/fold{fold}/importance.parquet",
    log:
        "<logs>/models/{model}/fold{fold}.log",
    benchmark:
        "<benchmarks>/models/{model}/fold{fold}.jsonl"
    wildcard_constraints:
        model=one_of(LIGHTGBMS),
    conda:
        "../envs/cpu.yaml"
    # Each further thread brings less: of some thousand patches and 126 columns, 12,000 trees took
    # 77 s on one and 57 s on two. Folds and models side by side use all cores better.
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=tree_settings,
        columns=lambda wildcards: feature_columns(wildcards.model),
        seed=CONFIG.seed,
        leases=leases,
        code=source_digest("models/train_trees.py"),
    script:
        "../workflow/scripts/models/train_trees.py"


use rule train_lightgbm as train_xgboost with:
    output:
        weights="<results>/models/{model}/fold{fold}/model.ubj",
        description="<results>/models/{model}/fold{fold}/model.json",
        oof="<results>/models/{model}/fold{fold}/oof.parquet",
        test="<results>/models/{model}/fold{fold}/test.parquet",
        history="<results>/models/{model}/fold{fold}/history.parquet",
        cost="<results>/models/{model}/fold{fold}/cost.json",
        importance="<results>/models/{model}/fold{fold}/importance.parquet",
    wildcard_constraints:
        model=one_of(XGBOOSTS),
