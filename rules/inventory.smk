"""Inventory stage: patches from scenes and an inventory, in place of files and tables."""


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
        scenes=lambda wildcards: all_scene_files() if CONFIG.data.verdicts else [],
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
    params:
        train=len(CONFIG.data.scenes),
        rules=window_rules(),
        judged=judged_windows(),
        tables=table_digests,
        code=source_digest("inventory/list_windows.py"),
    script:
        "../workflow/scripts/inventory/list_windows.py"
