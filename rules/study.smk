"""Study stage: variants of the models in tables, what members and calibration bring, the page."""


rule study:
    input:
        expand("<results>/study/{table}.parquet", table=STUDY.tables),


rule gather_table:
    input:
        oof=lambda wildcards: of_table(wildcards.table, "oof.parquet"),
        costs=lambda wildcards: of_table(wildcards.table, "cost.json"),
        folds="<results>/data/folds.parquet",
        paper=f"{workflow.basedir}/resources/paper/study.csv",
    output:
        table="<results>/study/{table}.parquet",
    log:
        "<logs>/study/gather_table_{table}.log",
    benchmark:
        "<benchmarks>/study/gather_table_{table}.jsonl"
    wildcard_constraints:
        table=one_of(STUDY.tables),
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime="20m",
    params:
        rows=lambda wildcards: {"rows": table_rows(wildcards.table)},
        models=lambda wildcards: table_models(wildcards.table),
        bootstrap=CONFIG.study.bootstrap,
        seed=CONFIG.seed,
        code=source_digest("study/gather_table.py"),
    script:
        "../workflow/scripts/study/gather_table.py"
