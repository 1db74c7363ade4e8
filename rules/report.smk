"""Report stage: figures and tables, and the page that shows them."""


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
    params:
        config=config_as_text(),
        stages=rule_stages,
        snakefile=workflow.main_snakefile,
        code=source_digest("report/print_rulegraph.py"),
    script:
        "../workflow/scripts/report/print_rulegraph.py"


rule compare_splits:
    input:
        features=ancient("<results>/features/train.parquet"),
        folds=ancient("<results>/data/folds.parquet"),
        manifest=ancient("<results>/data/manifest.parquet"),
        sums=[
            "<results>/features/train.sha256",
            "<results>/data/folds.sha256",
            "<results>/data/manifest.sha256",
        ],
    output:
        splits="<results>/report/splits.json",
        sums="<results>/report/splits.sha256",
    log:
        "<logs>/report/compare_splits.log",
    benchmark:
        "<benchmarks>/report/compare_splits.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 4
    params:
        resamples=CONFIG.ensemble.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("report/compare_splits.py"),
    script:
        "../workflow/scripts/report/compare_splits.py"


rule draw_report:
    input:
        oof=ancient("<results>/ensemble/oof.parquet"),
        threshold="<results>/ensemble/threshold.json",
        metrics="<results>/ensemble/metrics.json",
        manifest=ancient("<results>/data/manifest.parquet"),
        store=ancient("<results>/store/train.h5"),
        pixels=lambda wildcards: pixels_of("train"),
        benchmarks=measured,
        rulegraph="<results>/report/rulegraph.json",
        importance=[
            path
            for model in TREE_MEMBERS
            for path in folds_of(model, "importance.parquet")
        ],
        history=of_members("history.parquet"),
        costs=of_members("cost.json"),
        paper=f"{workflow.basedir}/resources/paper/table2.csv",
        splits=if_from_scenes("<results>/report/splits.json"),
        split_sums=if_from_scenes("<results>/report/splits.sha256"),
        model_sums=of_members("files.sha256"),
        sums=[
            "<results>/ensemble/oof.sha256",
            "<results>/ensemble/threshold.sha256",
            "<results>/ensemble/metrics.sha256",
            "<results>/data/manifest.sha256",
            "<results>/store/train.sha256",
            "<results>/report/rulegraph.sha256",
        ],
    output:
        *figure_files(FIGURES, "report"),
        *figure_files(REPORT_TABLES, "report", "csv"),
        mistakes="<results>/report/mistakes.csv",
        cost="<results>/report/cost.csv",
        sums="<results>/report/figures.sha256",
    log:
        "<logs>/report/draw_report.log",
    benchmark:
        "<benchmarks>/report/draw_report.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        models=CONFIG.members,
        trees=TREE_MEMBERS,
        benchmarks=benchmark_files,
        stages=rule_stages,
        modalities=channel_modalities(),
        units={name: channel.unit for name, channel in CONFIG.channels.items()},
        simulated=is_simulated(),
        seed=CONFIG.seed,
        code=source_digest("report/draw_report.py"),
    script:
        "../workflow/scripts/report/draw_report.py"


rule write_report:
    input:
        metrics="<results>/ensemble/metrics.json",
        threshold="<results>/ensemble/threshold.json",
        test=[ancient(path) for path in if_tested("<results>/ensemble/test.parquet")],
        manifest=ancient("<results>/data/manifest.parquet"),
        folds=ancient("<results>/data/folds.parquet"),
        audit=ancient("<results>/data/audit.html"),
        models="<results>/report/models.csv",
        mistakes="<results>/report/mistakes.csv",
        cost="<results>/report/cost.csv",
        speed="<results>/report/speed.csv",
        splits=if_from_scenes("<results>/report/splits.json"),
        split_sums=if_from_scenes("<results>/report/splits.sha256"),
        descriptions=of_members("model.json"),
        costs=of_members("cost.json"),
        figures=expand("<results>/report/{figure}.png", figure=FIGURES),
        captions=expand(
            "{root}/resources/report/{figure}.rst",
            root=workflow.basedir,
            figure=FIGURES,
        ),
        sums=[
            *expand("<results>/ensemble/{name}.sha256", name=["metrics", "threshold"]),
            *if_tested("<results>/ensemble/test.sha256"),
            *expand("<results>/data/{name}.sha256", name=["manifest", "folds"]),
            # The page only leads to the audit.
            ancient("<results>/data/audit.sha256"),
            "<results>/report/figures.sha256",
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
    params:
        configured=report_settings(),
        code=source_digest("report/write_report.py"),
    script:
        "../workflow/scripts/report/write_report.py"
