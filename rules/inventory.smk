"""Inventory stage: patches from scenes and an inventory, in place of files and tables."""

from dataclasses import asdict


rule look_at_scene:
    input:
        scene=lambda wildcards: scene_files(int(wildcards.scene)),
    output:
        windows="<results>/data/scenes/{scene}.parquet",
        record="<results>/data/scenes/{scene}.json",
        sums="<results>/data/scenes/{scene}.sha256",
    log:
        "<logs>/inventory/look_at_scene_{scene}.log",
    benchmark:
        "<benchmarks>/inventory/look_at_scene_{scene}.jsonl"
    wildcard_constraints:
        scene=r"\d+",
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        scene=lambda wildcards: CONFIG.data.all_scenes[int(wildcards.scene)],
        files=lambda wildcards: digest_of_scene(int(wildcards.scene)),
        conventions=scene_conventions(),
        cut=window_cut(),
        code=source_digest("inventory/look_at_scene.py"),
    script:
        "../workflow/scripts/inventory/look_at_scene.py"


rule list_windows:
    input:
        windows=of_scenes("parquet"),
        records=of_scenes("json"),
        inventories=[ancient(path) for path in CONFIG.data.inventory],
        beside=[ancient(path) for path in beside_inventories()],
        verdicts=[ancient(path) for path in CONFIG.data.verdicts],
        # of what was judged, pixels are looked at
        scenes=all_scene_files if CONFIG.data.verdicts else [],
        sums=of_scenes("sha256"),
    output:
        listing="<results>/data/listing.parquet",
        listing_summary="<results>/data/listing.json",
        sums="<results>/data/listing.sha256",
    log:
        "<logs>/inventory/list_windows.log",
    benchmark:
        "<benchmarks>/inventory/list_windows.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        train=len(CONFIG.data.scenes),
        rules=window_rules(),
        judged=judged_windows(),
        tables=table_digests,
        code=source_digest("inventory/list_windows.py"),
    script:
        "../workflow/scripts/inventory/list_windows.py"


rule survey_windows:
    input:
        listing=ancient("<results>/data/listing.parquet"),
        listing_summary="<results>/data/listing.json",
        records=of_scenes("json"),
        scenes=all_scene_files,
        sums="<results>/data/listing.sha256",
        record_sums=of_scenes("sha256"),
    output:
        survey="<results>/data/surveys/{split}{shard}.npz",
        sums="<results>/data/surveys/{split}{shard}.sha256",
    log:
        "<logs>/inventory/survey_windows_{split}{shard}.log",
    benchmark:
        "<benchmarks>/inventory/survey_windows_{split}{shard}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        shards=lambda wildcards: shards_of(wildcards.split),
        channels=list(CONFIG.channels),
        no_data=asdict(CONFIG.no_data),
        code=source_digest("inventory/survey_windows.py"),
    script:
        "../workflow/scripts/inventory/survey_windows.py"


rule build_manifest:
    input:
        listing=ancient("<results>/data/listing.parquet"),
        listing_summary="<results>/data/listing.json",
        surveys=lambda wildcards: [ancient(path) for path in surveys("npz")],
        # of what may be copies of one another, pixels are compared
        records=of_scenes("json"),
        scenes=all_scene_files,
        sums="<results>/data/listing.sha256",
        survey_sums=lambda wildcards: surveys("sha256"),
        record_sums=of_scenes("sha256"),
    output:
        manifest="<results>/data/manifest.parquet",
        audit="<results>/data/audit.json",
        sums="<results>/data/manifest.sha256",
    log:
        "<logs>/inventory/build_manifest.log",
    benchmark:
        "<benchmarks>/inventory/build_manifest.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        settings=manifest_settings(),
        no_data=asdict(CONFIG.no_data),
        code=source_digest("inventory/build_manifest.py"),
    script:
        "../workflow/scripts/inventory/build_manifest.py"


rule build_store:
    input:
        manifest=ancient("<results>/data/manifest.parquet"),
        records=of_scenes("json"),
        scenes=all_scene_files,
        sums="<results>/data/manifest.sha256",
        record_sums=of_scenes("sha256"),
    output:
        shard="<results>/store/{split}_shards/shard{shard}.h5",
        pixels="<results>/store/{split}_shards/shard{shard}.pixels.h5",
        sums="<results>/store/{split}_shards/shard{shard}.sha256",
    log:
        "<logs>/inventory/build_store_{split}{shard}.log",
    benchmark:
        "<benchmarks>/inventory/build_store_{split}{shard}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=store_settings(),
        no_data=asdict(CONFIG.no_data),
        shards=lambda wildcards: shards_of(wildcards.split),
        code=source_digest("inventory/build_store.py"),
    script:
        "../workflow/scripts/inventory/build_store.py"
