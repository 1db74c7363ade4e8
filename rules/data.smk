"""Data stage: from patches and tables to a manifest, an audit, folds and the patch stores."""

from dataclasses import asdict

if CONFIG.data.simulated:

    rule simulate_patches:
        output:
            labels=f"{SIMULATED}/Train.csv",
            ids=f"{SIMULATED}/Test.csv",
            test_labels=f"{SIMULATED}/TestLabels.csv",
            listing=f"{SIMULATED}/patches.csv",
            train=directory(f"{SIMULATED}/train_data"),
            test=directory(f"{SIMULATED}/test_data"),
            sums=f"{SIMULATED}/tables.sha256",
        log:
            "<logs>/data/simulate_patches.log",
        benchmark:
            "<benchmarks>/data/simulate_patches.jsonl"
        conda:
            "../envs/cpu.yaml"
        threads: 8
        resources:
            mem_mb=lambda wildcards, attempt: 8000 * attempt,
        params:
            simulation=CONFIG.data.simulation.model_dump(mode="json"),
            code=source_digest("data/simulate_patches.py"),
        script:
            "../workflow/scripts/data/simulate_patches.py"


# In its place, rules/inventory.smk lists windows of scenes.
if not CONFIG.data.scenes:

    rule list_patches:
        input:
            labels=table_input("labels"),
            ids=table_input("ids"),
            test_labels=table_input("test_labels"),
            patches=lambda wildcards: patch_folders("train", "test"),
            sums=patch_sums(),
        output:
            listing="<results>/data/listing.parquet",
            listing_summary="<results>/data/listing.json",
            sums="<results>/data/listing.sha256",
        log:
            "<logs>/data/list_patches.log",
        benchmark:
            "<benchmarks>/data/list_patches.jsonl"
        conda:
            "../envs/cpu.yaml"
        params:
            train=data_path("train", "patches"),
            test=data_path("test", "patches"),
            tables=table_digests,
            train_listing=lambda wildcards: patch_listing("train"),
            test_listing=lambda wildcards: patch_listing("test"),
            channels=len(CONFIG.channels),
            group=CONFIG.folds.group,
            links_into=CONFIG.data.links_into,
            code=source_digest("data/list_patches.py"),
        script:
            "../workflow/scripts/data/list_patches.py"


rule survey_patches:
    input:
        unpack(lambda wildcards: pixels_from(wildcards.split)),
        listing=ancient("<results>/data/listing.parquet"),
        listing_summary="<results>/data/listing.json",
        sums="<results>/data/listing.sha256",
    output:
        survey="<results>/data/surveys/{split}{shard}.npz",
        sums="<results>/data/surveys/{split}{shard}.sha256",
    log:
        "<logs>/data/survey_patches_{split}{shard}.log",
    benchmark:
        "<benchmarks>/data/survey_patches_{split}{shard}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 8
    params:
        shards=lambda wildcards: shards_of(wildcards.split),
        # files hold so many; windows are read by name
        channels=list(CONFIG.channels) if CONFIG.data.scenes else len(CONFIG.channels),
        no_data=asdict(CONFIG.no_data),
        code=source_digest(f"{READING}/survey_patches.py"),
    script:
        f"../workflow/scripts/{READING}/survey_patches.py"


rule build_manifest:
    input:
        # of what may be copies of one another, pixels are compared
        unpack(lambda wildcards: pixels_from("train", "test")),
        listing=ancient("<results>/data/listing.parquet"),
        listing_summary="<results>/data/listing.json",
        surveys=lambda wildcards: [ancient(path) for path in surveys("npz")],
        sums="<results>/data/listing.sha256",
        survey_sums=lambda wildcards: surveys("sha256"),
    output:
        manifest="<results>/data/manifest.parquet",
        audit="<results>/data/audit.json",
        sums="<results>/data/manifest.sha256",
    log:
        "<logs>/data/build_manifest.log",
    benchmark:
        "<benchmarks>/data/build_manifest.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        settings=manifest_settings(),
        no_data=asdict(CONFIG.no_data),
        code=source_digest(f"{READING}/build_manifest.py"),
    script:
        f"../workflow/scripts/{READING}/build_manifest.py"


rule build_store:
    input:
        unpack(lambda wildcards: pixels_from(wildcards.split)),
        manifest=ancient("<results>/data/manifest.parquet"),
        sums="<results>/data/manifest.sha256",
    output:
        shard="<results>/store/{split}_shards/shard{shard}.h5",
        pixels="<results>/store/{split}_shards/shard{shard}.pixels.h5",
        sums="<results>/store/{split}_shards/shard{shard}.sha256",
    log:
        "<logs>/data/build_store_{split}{shard}.log",
    benchmark:
        "<benchmarks>/data/build_store_{split}{shard}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 8
    params:
        settings=store_settings(),
        no_data=asdict(CONFIG.no_data),
        shards=lambda wildcards: shards_of(wildcards.split),
        code=source_digest(f"{READING}/build_store.py"),
    script:
        f"../workflow/scripts/{READING}/build_store.py"


rule write_audit:
    input:
        audit="<results>/data/audit.json",
        sums="<results>/data/manifest.sha256",
    output:
        page=report(
            "<results>/data/audit.html",
            caption="../resources/report/audit.rst",
            category="Data",
            labels={"figure": "audit of the input"},
        ),
        sums="<results>/data/audit.sha256",
    log:
        "<logs>/data/write_audit.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        code=source_digest("data/write_audit.py"),
    script:
        "../workflow/scripts/data/write_audit.py"


rule assign_folds:
    input:
        manifest=ancient("<results>/data/manifest.parquet"),
        sums="<results>/data/manifest.sha256",
    output:
        folds="<results>/data/folds.parquet",
        sums="<results>/data/folds.sha256",
    log:
        "<logs>/data/assign_folds.log",
    benchmark:
        "<benchmarks>/data/assign_folds.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        folds=CONFIG.folds.model_dump(mode="json", exclude={"block_size"}),
        code=source_digest("data/assign_folds.py"),
    script:
        "../workflow/scripts/data/assign_folds.py"


rule join_store:
    input:
        shards=lambda wildcards: [
            ancient(path) for path in store_shards(wildcards.split)
        ],
        pixels=lambda wildcards: pixels_of(wildcards.split),
        sums=lambda wildcards: store_shards(wildcards.split, "sha256"),
    output:
        store="<results>/store/{split}.h5",
        sums="<results>/store/{split}.sha256",
    log:
        "<logs>/data/join_store_{split}.log",
    benchmark:
        "<benchmarks>/data/join_store_{split}.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        code=source_digest("data/join_store.py"),
    script:
        "../workflow/scripts/data/join_store.py"
