"""Report stage: tables and figures, one rule a theme, and the page that shows them."""


rule print_rulegraph:
    input:
        metrics="<results>/ensemble/metrics.json",
        sums="<results>/ensemble/metrics.sha256",
    output:
        rulegraph="<results>/report/rulegraph.json",
        config="<results>/report/config.json",
        sums="<results>/report/rulegraph.sha256",
    log:
        "<logs>/report/print_rulegraph.log",
    benchmark:
        "<benchmarks>/report/print_rulegraph.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        config=config_as_text(),
        stages=rule_stages,
        snakefile=workflow.main_snakefile,
        code=source_digest("report/print_rulegraph.py"),
    script:
        "../workflow/scripts/report/print_rulegraph.py"


rule draw_dag:
    input:
        rulegraph="<results>/report/rulegraph.json",
        sums="<results>/report/rulegraph.sha256",
    output:
        figure=report(
            "<results>/report/dag.png",
            caption="../resources/report/dag.rst",
            category="How it was made",
            labels={"figure": "rules and their order"},
        ),
        sums="<results>/report/dag.sha256",
    log:
        "<logs>/report/draw_dag.log",
    benchmark:
        "<benchmarks>/report/draw_dag.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        stages=rule_stages,
        code=source_digest("report/draw_dag.py"),
    script:
        "../workflow/scripts/report/draw_dag.py"


rule draw_cost:
    input:
        metrics="<results>/ensemble/metrics.json",
        sums="<results>/ensemble/metrics.sha256",
    output:
        figure=report(
            "<results>/report/cost.png",
            caption="../resources/report/cost.rst",
            category="How it was made",
            labels={"figure": "time and memory of every job"},
        ),
        table="<results>/report/cost.csv",
        sums="<results>/report/cost.sha256",
    log:
        "<logs>/report/draw_cost.log",
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        benchmarks=benchmark_files,
        code=source_digest("report/draw_cost.py"),
    script:
        "../workflow/scripts/report/draw_cost.py"


rule draw_curves:
    input:
        oof=ancient("<results>/ensemble/oof.parquet"),
        threshold="<results>/ensemble/threshold.json",
        sums=[
            "<results>/ensemble/oof.sha256",
            "<results>/ensemble/threshold.sha256",
        ],
    output:
        f1_threshold=report(
            "<results>/report/f1_threshold.png",
            caption="../resources/report/f1_threshold.rst",
            category="Ensemble",
            labels={"figure": "F1 against threshold"},
        ),
        roc=report(
            "<results>/report/roc.png",
            caption="../resources/report/roc.rst",
            category="Ensemble",
            labels={"figure": "ROC"},
        ),
        precision_recall=report(
            "<results>/report/precision_recall.png",
            caption="../resources/report/precision_recall.rst",
            category="Ensemble",
            labels={"figure": "precision and recall"},
        ),
        sums="<results>/report/curves.sha256",
    log:
        "<logs>/report/draw_curves.log",
    benchmark:
        "<benchmarks>/report/draw_curves.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        code=source_digest("report/draw_curves.py"),
    script:
        "../workflow/scripts/report/draw_curves.py"


rule draw_decisions:
    input:
        oof=ancient("<results>/ensemble/oof.parquet"),
        threshold="<results>/ensemble/threshold.json",
        sums=[
            "<results>/ensemble/oof.sha256",
            "<results>/ensemble/threshold.sha256",
        ],
    output:
        confusion=report(
            "<results>/report/confusion.png",
            caption="../resources/report/confusion.rst",
            category="Ensemble",
            labels={"figure": "confusion"},
        ),
        reliability=report(
            "<results>/report/reliability.png",
            caption="../resources/report/reliability.rst",
            category="Ensemble",
            labels={"figure": "reliability"},
        ),
        sums="<results>/report/decisions.sha256",
    log:
        "<logs>/report/draw_decisions.log",
    benchmark:
        "<benchmarks>/report/draw_decisions.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        code=source_digest("report/draw_decisions.py"),
    script:
        "../workflow/scripts/report/draw_decisions.py"


rule draw_importance:
    input:
        importance=[
            path
            for model in TREE_MEMBERS
            for path in folds_of(model, "importance.parquet")
        ],
        sums=[
            path for model in TREE_MEMBERS for path in folds_of(model, "files.sha256")
        ],
    output:
        figure=report(
            "<results>/report/importance.png",
            caption="../resources/report/importance.rst",
            category="Models",
            labels={"figure": "most important features of the trees"},
        ),
        sums="<results>/report/importance.sha256",
    log:
        "<logs>/report/draw_importance.log",
    benchmark:
        "<benchmarks>/report/draw_importance.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=TREE_MEMBERS,
        modalities=channel_modalities(),
        code=source_digest("report/draw_importance.py"),
    script:
        "../workflow/scripts/report/draw_importance.py"


rule draw_learning_curves:
    input:
        history=of_members("history.parquet"),
        sums=of_members("files.sha256"),
    output:
        figure=report(
            "<results>/report/learning_curves.png",
            caption="../resources/report/learning_curves.rst",
            category="Models",
            labels={"figure": "learning curves"},
        ),
        sums="<results>/report/learning_curves.sha256",
    log:
        "<logs>/report/draw_learning_curves.log",
    benchmark:
        "<benchmarks>/report/draw_learning_curves.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=CONFIG.members,
        trees=TREE_MEMBERS,
        code=source_digest("report/draw_learning_curves.py"),
    script:
        "../workflow/scripts/report/draw_learning_curves.py"


rule draw_patches:
    input:
        store=ancient("<results>/store/train.h5"),
        manifest=ancient("<results>/data/manifest.parquet"),
        sums=["<results>/store/train.sha256", "<results>/data/manifest.sha256"],
    output:
        figure=report(
            "<results>/report/patches.png",
            caption="../resources/report/patches.rst",
            category="Data",
            labels={"figure": "sample patches in all bands"},
        ),
        composites=report(
            "<results>/report/composites.png",
            caption="../resources/report/composites.rst",
            category="Data",
            labels={"figure": "sample patches in colour and as radar sees them"},
        ),
        sums="<results>/report/patches.sha256",
    log:
        "<logs>/report/draw_patches.log",
    benchmark:
        "<benchmarks>/report/draw_patches.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        modalities=channel_modalities(),
        units={name: channel.unit for name, channel in CONFIG.channels.items()},
        seed=CONFIG.seed,
        code=source_digest("report/draw_patches.py"),
    script:
        "../workflow/scripts/report/draw_patches.py"


rule draw_mistakes:
    input:
        oof=ancient("<results>/ensemble/oof.parquet"),
        threshold="<results>/ensemble/threshold.json",
        store=ancient("<results>/store/train.h5"),
        sums=[
            "<results>/ensemble/oof.sha256",
            "<results>/ensemble/threshold.sha256",
            "<results>/store/train.sha256",
        ],
    output:
        figure=report(
            "<results>/report/mistakes.png",
            caption="../resources/report/mistakes.rst",
            category="Ensemble",
            labels={"figure": "most certain mistakes"},
        ),
        table="<results>/report/mistakes.csv",
        sums="<results>/report/mistakes.sha256",
    log:
        "<logs>/report/draw_mistakes.log",
    benchmark:
        "<benchmarks>/report/draw_mistakes.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        modalities=channel_modalities(),
        code=source_digest("report/draw_mistakes.py"),
    script:
        "../workflow/scripts/report/draw_mistakes.py"


rule tabulate_models:
    input:
        metrics="<results>/ensemble/metrics.json",
        manifest=ancient("<results>/data/manifest.parquet"),
        paper=f"{workflow.basedir}/resources/paper/table2.csv",
        sums=[
            "<results>/ensemble/metrics.sha256",
            "<results>/data/manifest.sha256",
        ],
    output:
        table=report(
            "<results>/report/models.csv",
            caption="../resources/report/models.rst",
            category="Models",
            labels={"figure": "models and ensemble"},
        ),
        sums="<results>/report/models.sha256",
    log:
        "<logs>/report/tabulate_models.log",
    benchmark:
        "<benchmarks>/report/tabulate_models.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        simulated=CONFIG.data.simulated,
        code=source_digest("report/tabulate_models.py"),
    script:
        "../workflow/scripts/report/tabulate_models.py"


rule tabulate_speed:
    input:
        costs=of_members("cost.json"),
        sums=of_members("files.sha256"),
    output:
        table=report(
            "<results>/report/speed.csv",
            caption="../resources/report/speed.rst",
            category="How it was made",
            labels={"figure": "speed of every model"},
        ),
        sums="<results>/report/speed.sha256",
    log:
        "<logs>/report/tabulate_speed.log",
    benchmark:
        "<benchmarks>/report/tabulate_speed.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=CONFIG.members,
        code=source_digest("report/tabulate_speed.py"),
    script:
        "../workflow/scripts/report/tabulate_speed.py"


rule write_report:
    input:
        metrics="<results>/ensemble/metrics.json",
        threshold="<results>/ensemble/threshold.json",
        test=ancient("<results>/ensemble/test.parquet"),
        manifest=ancient("<results>/data/manifest.parquet"),
        folds=ancient("<results>/data/folds.parquet"),
        audit=ancient("<results>/data/audit.html"),
        models="<results>/report/models.csv",
        mistakes="<results>/report/mistakes.csv",
        cost="<results>/report/cost.csv",
        speed="<results>/report/speed.csv",
        descriptions=of_members("model.json"),
        figures=expand("<results>/report/{figure}.png", figure=FIGURES),
        captions=expand(
            "{root}/resources/report/{figure}.rst",
            root=workflow.basedir,
            figure=FIGURES,
        ),
        sums=[
            *expand(
                "<results>/ensemble/{name}.sha256",
                name=["metrics", "threshold", "test"],
            ),
            *expand(
                "<results>/data/{name}.sha256", name=["manifest", "folds", "audit"]
            ),
            *expand(
                "<results>/report/{name}.sha256",
                name=["models", "speed", *figure_sums(FIGURES)],
            ),
            *of_members("files.sha256"),
        ],
    output:
        page=report(
            "<results>/report.html",
            caption="../resources/report/report.rst",
            category="Report",
            labels={"figure": "the page"},
        ),
    log:
        "<logs>/report/write_report.log",
    benchmark:
        "<benchmarks>/report/write_report.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        study=report_facts(),
        code=source_digest("report/write_report.py"),
    script:
        "../workflow/scripts/report/write_report.py"
