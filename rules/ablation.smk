"""Study stage: variants of the models in tables, what members and calibration bring, the page."""


rule study:
    input:
        expand("<results>/study/{file}", file=STUDY_FILES),
        "<results>/study.html",
        # The study's page leads there.
        "<results>/report.html",


rule gather_table:
    input:
        oof=lambda wildcards: [
            ancient(path) for path in of_table(wildcards.table, "oof.parquet")
        ],
        costs=lambda wildcards: of_table(wildcards.table, "cost.json"),
        folds=ancient("<results>/data/folds.parquet"),
        paper=f"{workflow.basedir}/resources/paper/ablation.csv",
        sums="<results>/data/folds.sha256",
        model_sums=lambda wildcards: of_table(wildcards.table, "files.sha256"),
    output:
        table="<results>/study/{table}.parquet",
        sums="<results>/study/{table}.sha256",
    log:
        "<logs>/study/gather_table_{table}.log",
    benchmark:
        "<benchmarks>/study/gather_table_{table}.jsonl"
    wildcard_constraints:
        table=one_of(STUDY.tables),
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 20 * attempt,
    params:
        rows=lambda wildcards: {"rows": table_rows(wildcards.table)},
        models=lambda wildcards: table_models(wildcards.table),
        bootstrap=CONFIG.study.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("study/gather_table.py"),
    script:
        "../workflow/scripts/ablation/gather_table.py"


rule analyse_members:
    input:
        oof=ancient("<results>/ensemble/oof.parquet"),
        sums="<results>/ensemble/oof.sha256",
    output:
        members="<results>/study/members.json",
        sums="<results>/study/members.sha256",
    log:
        "<logs>/study/analyse_members.log",
    benchmark:
        "<benchmarks>/study/analyse_members.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        bootstrap=CONFIG.study.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("study/analyse_members.py"),
    script:
        "../workflow/scripts/ablation/analyse_members.py"


rule measure_calibration:
    input:
        oof=ancient("<results>/ensemble/oof.parquet"),
        sums="<results>/ensemble/oof.sha256",
    output:
        calibration="<results>/study/calibration.json",
        sums="<results>/study/calibration.sha256",
    log:
        "<logs>/study/measure_calibration.log",
    benchmark:
        "<benchmarks>/study/measure_calibration.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        prevalence=CONFIG.study.prevalence,
        bootstrap=CONFIG.study.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("study/measure_calibration.py"),
    script:
        "../workflow/scripts/ablation/measure_calibration.py"


rule count_confusion:
    input:
        oof=ancient("<results>/ensemble/oof.parquet"),
        sums="<results>/ensemble/oof.sha256",
    output:
        table="<results>/study/confusion.parquet",
        sums="<results>/study/confusion.sha256",
    log:
        "<logs>/study/count_confusion.log",
    benchmark:
        "<benchmarks>/study/count_confusion.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        bootstrap=CONFIG.study.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("study/count_confusion.py"),
    script:
        "../workflow/scripts/ablation/count_confusion.py"


rule compare_speed:
    input:
        costs=[
            path for model in STUDY_NETWORKS for path in folds_of(model, "cost.json")
        ],
        paper=f"{workflow.basedir}/resources/paper/speed.csv",
        sums=[
            path
            for model in STUDY_NETWORKS
            for path in folds_of(model, "files.sha256")
        ],
    output:
        table="<results>/study/speed.parquet",
        sums="<results>/study/speed.sha256",
    log:
        "<logs>/study/compare_speed.log",
    benchmark:
        "<benchmarks>/study/compare_speed.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=STUDY_NETWORKS,
        code=source_digest("study/compare_speed.py"),
    script:
        "../workflow/scripts/ablation/compare_speed.py"


rule draw_study:
    input:
        tables=expand("<results>/study/{table}.parquet", table=STUDY.tables),
        calibration="<results>/study/calibration.json",
        sums=expand(
            "<results>/study/{name}.sha256", name=[*STUDY.tables, "calibration"]
        ),
    output:
        quality=report(
            "<results>/study/quality.png",
            caption="../resources/report/quality.rst",
            category="Study",
            labels={"figure": "quality against time"},
        ),
        calibration=report(
            "<results>/study/calibration.png",
            caption="../resources/report/calibration.rst",
            category="Study",
            labels={"figure": "calibration"},
        ),
        prevalence=report(
            "<results>/study/prevalence.png",
            caption="../resources/report/prevalence.rst",
            category="Study",
            labels={"figure": "other shares of landslides"},
        ),
        sums="<results>/study/figures.sha256",
    log:
        "<logs>/study/draw_study.log",
    benchmark:
        "<benchmarks>/study/draw_study.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        code=source_digest("study/draw_study.py"),
    script:
        "../workflow/scripts/ablation/draw_study.py"


rule write_study:
    input:
        tables=expand("<results>/study/{table}.parquet", table=STUDY.tables),
        confusion="<results>/study/confusion.parquet",
        speed=["<results>/study/speed.parquet"] if STUDY_NETWORKS else [],
        members="<results>/study/members.json",
        calibration="<results>/study/calibration.json",
        importance="<results>/study/importance.parquet",
        figures=expand(
            "<results>/study/{figure}.png",
            figure=["quality", "calibration", "prevalence"],
        ),
        report_figures=expand("<results>/report/{figure}.png", figure=PAPER_FIGURES),
        captions=expand(
            "{root}/resources/report/{figure}.rst",
            root=workflow.basedir,
            figure=[
                "quality",
                "calibration",
                "prevalence",
                *PAPER_FIGURES,
            ],
        ),
        sums=expand(
            "<results>/study/{name}.sha256",
            name=[
                *(Path(name).stem for name in STUDY_FILES),
                "figures",
            ],
        ),
        report_sums="<results>/report/figures.sha256",
    output:
        page=report(
            "<results>/study.html",
            caption="../resources/report/ablation.rst",
            category="Study",
            labels={"figure": "the study's page"},
        ),
    log:
        "<logs>/study/write_study.log",
    benchmark:
        "<benchmarks>/study/write_study.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        texts={
            "tables": [table_text(table) for table in STUDY.tables],
            "names": STUDY.variant_names(),
            "models": {
                name: outline(model, CONFIG.modalities)
                for name, model in MODELS.items()
            },
        },
        simulated=CONFIG.data.simulated,
        code=source_digest("study/write_study.py"),
    script:
        "../workflow/scripts/ablation/write_study.py"


rule permute_groups:
    input:
        descriptions=lambda wildcards: folds_of(wildcards.model, "model.json"),
        weights=lambda wildcards: weights_of(wildcards.model),
        features=ancient("<results>/features/train.parquet"),
        folds=ancient("<results>/data/folds.parquet"),
        sums=["<results>/features/train.sha256", "<results>/data/folds.sha256"],
        model_sums=lambda wildcards: folds_of(wildcards.model, "files.sha256"),
    output:
        predictions="<results>/study/importance/{model}.parquet",
        sums="<results>/study/importance/{model}.sha256",
    log:
        "<logs>/study/importance_{model}.log",
    benchmark:
        "<benchmarks>/study/importance_{model}.jsonl"
    wildcard_constraints:
        model=one_of(TREE_MEMBERS),
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        groupings=lambda wildcards: tree_groups(wildcards.model),
        repeats=CONFIG.study.shufflings,
        seed=CONFIG.seed,
        code=source_digest("study/permute_groups.py"),
    script:
        "../workflow/scripts/ablation/permute_groups.py"


rule mask_inputs:
    input:
        descriptions=lambda wildcards: folds_of(wildcards.model, "model.json"),
        weights=lambda wildcards: weights_of(wildcards.model),
        store=ancient("<results>/store/train.h5"),
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
        predictions="<results>/study/importance/{model}.parquet",
        sums="<results>/study/importance/{model}.sha256",
    log:
        "<logs>/study/importance_{model}.log",
    benchmark:
        "<benchmarks>/study/importance_{model}.jsonl"
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
        code=source_digest("study/mask_inputs.py"),
    script:
        "../workflow/scripts/ablation/mask_inputs.py"


rule gather_importance:
    input:
        trees=expand("<results>/study/importance/{model}.parquet", model=TREE_MEMBERS),
        splits=[
            path
            for model in TREE_MEMBERS
            for path in folds_of(model, "importance.parquet")
        ],
        networks=expand(
            "<results>/study/importance/{model}.parquet", model=NETWORK_MEMBERS
        ),
        sums=expand("<results>/study/importance/{model}.sha256", model=CONFIG.members),
        split_sums=[
            path for model in TREE_MEMBERS for path in folds_of(model, "files.sha256")
        ],
    output:
        table="<results>/study/importance.parquet",
        sums="<results>/study/importance.sha256",
    log:
        "<logs>/study/gather_importance.log",
    benchmark:
        "<benchmarks>/study/gather_importance.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        groups={
            "trees": {model: tree_groups(model) for model in TREE_MEMBERS},
            "networks": {model: input_parts(model) for model in NETWORK_MEMBERS},
        },
        bootstrap=CONFIG.study.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("study/gather_importance.py"),
    script:
        "../workflow/scripts/ablation/gather_importance.py"
