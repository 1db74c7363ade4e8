"""Ablation stage: variants of the models in tables, what members and calibration bring, the page."""


rule ablation:
    input:
        expand("<results>/ablation/{file}", file=ABLATION_FILES),
        "<results>/ablation.html",
        # The ablation's page leads there.
        "<results>/report.html",


rule gather_table:
    input:
        oof=lambda wildcards: [
            ancient(path) for path in of_table(wildcards.table, "oof.parquet")
        ],
        costs=lambda wildcards: of_table(wildcards.table, "cost.json"),
        folds=ancient("<results>/data/folds.parquet"),
        ensemble=ancient("<results>/ensemble/oof.parquet"),
        paper=f"{workflow.basedir}/resources/paper/ablation.csv",
        sums=["<results>/data/folds.sha256", "<results>/ensemble/oof.sha256"],
        model_sums=lambda wildcards: of_table(wildcards.table, "files.sha256"),
    output:
        table="<results>/ablation/{table}.parquet",
        sums="<results>/ablation/{table}.sha256",
    log:
        "<logs>/ablation/gather_table_{table}.log",
    benchmark:
        "<benchmarks>/ablation/gather_table_{table}.jsonl"
    wildcard_constraints:
        table=one_of(ABLATION.tables),
    conda:
        "../envs/cpu.yaml"
    params:
        rows=lambda wildcards: {"rows": table_rows(wildcards.table)},
        models=lambda wildcards: table_models(wildcards.table),
        bootstrap=CONFIG.ablation.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("ablation/gather_table.py"),
    script:
        "../workflow/scripts/ablation/gather_table.py"


rule analyse_ensemble:
    input:
        oof=ancient("<results>/ensemble/oof.parquet"),
        sums="<results>/ensemble/oof.sha256",
    output:
        members="<results>/ablation/members.json",
        calibration="<results>/ablation/calibration.json",
        confusion="<results>/ablation/confusion.parquet",
        sums="<results>/ablation/analyses.sha256",
    log:
        "<logs>/ablation/analyse_ensemble.log",
    benchmark:
        "<benchmarks>/ablation/analyse_ensemble.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        prevalence=CONFIG.ablation.prevalence,
        bootstrap=CONFIG.ablation.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("ablation/analyse_ensemble.py"),
    script:
        "../workflow/scripts/ablation/analyse_ensemble.py"


rule compare_speed:
    input:
        costs=[
            path
            for model in ABLATION_NETWORKS
            for path in folds_of(model, "cost.json")
        ],
        paper=f"{workflow.basedir}/resources/paper/speed.csv",
        sums=[
            path
            for model in ABLATION_NETWORKS
            for path in folds_of(model, "files.sha256")
        ],
    output:
        table="<results>/ablation/speed.parquet",
        sums="<results>/ablation/speed.sha256",
    log:
        "<logs>/ablation/compare_speed.log",
    benchmark:
        "<benchmarks>/ablation/compare_speed.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        models=ABLATION_NETWORKS,
        code=source_digest("ablation/compare_speed.py"),
    script:
        "../workflow/scripts/ablation/compare_speed.py"


rule draw_ablation:
    input:
        tables=expand("<results>/ablation/{table}.parquet", table=ABLATION.tables),
        calibration="<results>/ablation/calibration.json",
        sums=expand(
            "<results>/ablation/{name}.sha256", name=[*ABLATION.tables, "analyses"]
        ),
    output:
        *figure_files(ABLATION_FIGURES, "ablation"),
        sums="<results>/ablation/figures.sha256",
    log:
        "<logs>/ablation/draw_ablation.log",
    benchmark:
        "<benchmarks>/ablation/draw_ablation.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        code=source_digest("ablation/draw_ablation.py"),
    script:
        "../workflow/scripts/ablation/draw_ablation.py"


rule write_ablation:
    input:
        tables=expand("<results>/ablation/{table}.parquet", table=ABLATION.tables),
        confusion="<results>/ablation/confusion.parquet",
        speed=["<results>/ablation/speed.parquet"] if ABLATION_NETWORKS else [],
        members="<results>/ablation/members.json",
        calibration="<results>/ablation/calibration.json",
        importance="<results>/ablation/importance.parquet",
        descriptions=of_members("model.json"),
        folds=ancient("<results>/data/folds.parquet"),
        figures=expand("<results>/ablation/{figure}.png", figure=ABLATION_FIGURES),
        report_figures=expand("<results>/report/{figure}.png", figure=PAPER_FIGURES),
        captions=expand(
            "{root}/resources/report/{figure}.rst",
            root=workflow.basedir,
            figure=[*ABLATION_FIGURES, *PAPER_FIGURES],
        ),
        sums=expand(
            "<results>/ablation/{name}.sha256",
            name=[
                *ABLATION.tables,
                "analyses",
                "importance",
                *(["speed"] if ABLATION_NETWORKS else []),
                "figures",
            ],
        ),
        report_sums="<results>/report/figures.sha256",
        model_sums=of_members("files.sha256"),
        folds_sums="<results>/data/folds.sha256",
    output:
        page=report(
            "<results>/ablation.html",
            caption="../resources/report/ablation.rst",
            category="Ablation",
            labels={"figure": "the ablation's page"},
        ),
    log:
        "<logs>/ablation/write_ablation.log",
    benchmark:
        "<benchmarks>/ablation/write_ablation.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        texts={
            "tables": [table_text(table) for table in ABLATION.tables],
            "names": ABLATION.variant_names(),
            "models": {
                name: outline(model, CONFIG.modalities)
                for name, model in MODELS.items()
            },
        },
        configured=trained_settings(),
        simulated=is_simulated(),
        code=source_digest("ablation/write_ablation.py"),
    script:
        "../workflow/scripts/ablation/write_ablation.py"


rule permute_groups:
    input:
        descriptions=lambda wildcards: folds_of(wildcards.model, "model.json"),
        weights=lambda wildcards: weights_of(wildcards.model),
        features=ancient("<results>/features/train.parquet"),
        folds=ancient("<results>/data/folds.parquet"),
        sums=["<results>/features/train.sha256", "<results>/data/folds.sha256"],
        model_sums=lambda wildcards: folds_of(wildcards.model, "files.sha256"),
    output:
        predictions="<results>/ablation/importance/{model}.parquet",
        sums="<results>/ablation/importance/{model}.sha256",
    log:
        "<logs>/ablation/importance_{model}.log",
    benchmark:
        "<benchmarks>/ablation/importance_{model}.jsonl"
    wildcard_constraints:
        model=one_of(TREE_MEMBERS),
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        groupings=lambda wildcards: tree_groups(wildcards.model),
        repeats=CONFIG.ablation.shufflings,
        seed=CONFIG.seed,
        code=source_digest("ablation/permute_groups.py"),
    script:
        "../workflow/scripts/ablation/permute_groups.py"


rule mask_inputs:
    input:
        descriptions=lambda wildcards: folds_of(wildcards.model, "model.json"),
        weights=lambda wildcards: weights_of(wildcards.model),
        store=ancient("<results>/store/train.h5"),
        pixels=lambda wildcards: pixels_of("train"),
        scaling=lambda wildcards: sorted(set(scaling_files(wildcards.model))),
        processor=ancient("<results>/models/processor.json"),
        folds=ancient("<results>/data/folds.parquet"),
        sums=["<results>/store/train.sha256", "<results>/data/folds.sha256"],
        scaling_sums=lambda wildcards: sorted(
            set(scaling_files(wildcards.model, "sha256"))
        ),
        model_sums=lambda wildcards: folds_of(wildcards.model, "files.sha256"),
        processor_sums=ancient("<results>/models/processor.sha256"),
    output:
        predictions="<results>/ablation/importance/{model}.parquet",
        sums="<results>/ablation/importance/{model}.sha256",
    log:
        "<logs>/ablation/importance_{model}.log",
    benchmark:
        "<benchmarks>/ablation/importance_{model}.jsonl"
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
        scalings=lambda wildcards: scaling_files(wildcards.model),
        parts=lambda wildcards: input_parts(wildcards.model),
        leases=leases,
        code=source_digest("ablation/mask_inputs.py"),
    script:
        "../workflow/scripts/ablation/mask_inputs.py"


rule gather_importance:
    input:
        trees=expand(
            "<results>/ablation/importance/{model}.parquet", model=TREE_MEMBERS
        ),
        splits=[
            path
            for model in TREE_MEMBERS
            for path in folds_of(model, "importance.parquet")
        ],
        networks=expand(
            "<results>/ablation/importance/{model}.parquet", model=NETWORK_MEMBERS
        ),
        sums=expand(
            "<results>/ablation/importance/{model}.sha256", model=CONFIG.members
        ),
        split_sums=[
            path for model in TREE_MEMBERS for path in folds_of(model, "files.sha256")
        ],
    output:
        table="<results>/ablation/importance.parquet",
        sums="<results>/ablation/importance.sha256",
    log:
        "<logs>/ablation/gather_importance.log",
    benchmark:
        "<benchmarks>/ablation/gather_importance.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        groups={
            "trees": {model: tree_groups(model) for model in TREE_MEMBERS},
            "networks": {model: input_parts(model) for model in NETWORK_MEMBERS},
        },
        bootstrap=CONFIG.ablation.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("ablation/gather_importance.py"),
    script:
        "../workflow/scripts/ablation/gather_importance.py"
