"""Map stage: from a scene and a bundle to a map, its zones and its page."""


rule map:
    input:
        expand("<results>/map/{name}", name=MAP_FILES),
        "<results>/map.zip",


# Which tiles there are is known once the scene was looked at.
checkpoint plan_map:
    input:
        scene=scene_inputs,
        bundle=ancient(bundle_file()),
    output:
        plan="<results>/scene/{run}/plan.json",
        checks="<results>/scene/{run}/checks.json",
        images="<results>/scene/{run}/images.seen.sha256",
        sums="<results>/scene/{run}/plan.sha256",
    log:
        "<logs>/scene/plan_{run}.log",
    benchmark:
        "<benchmarks>/scene/plan_{run}.jsonl"
    wildcard_constraints:
        run="event|placebo",
    conda:
        "../envs/cpu.yaml"
    params:
        scene=CONFIG.scene.path,
        bundle=CONFIG.bundle.path,
        settings=map_settings(),
        digests=lambda wildcards: [bundle_digest(), scene_digest()],
        code=source_digest("scene/plan_map.py"),
    script:
        "../workflow/scripts/scene/plan_map.py"


rule map_tile:
    input:
        plan="<results>/scene/{run}/plan.json",
        scene=ancient(CONFIG.scene.path),
        rasters=lambda wildcards: [ancient(path) for path in scene_rasters()],
        bundle=ancient(bundle_file()),
        images="<results>/scene/{run}/images.seen.sha256",
        sums="<results>/scene/{run}/plan.sha256",
    output:
        image="<results>/scene/{run}/tiles/{tile}.tif",
        cells="<results>/scene/{run}/tiles/{tile}.parquet",
        sums="<results>/scene/{run}/tiles/{tile}.sha256",
    log:
        "<logs>/scene/map_tile_{run}_{tile}.log",
    benchmark:
        "<benchmarks>/scene/map_tile_{run}_{tile}.jsonl"
    wildcard_constraints:
        run="event|placebo",
        tile=r"\d+",
    conda:
        "../envs/gpu.yaml"
    threads: 4
    resources:
        gpu=1,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        bundle=CONFIG.bundle.path,
        question=map_question(),
        leases=leases,
        code=source_digest("scene/map_tile.py"),
    script:
        "../workflow/scripts/scene/map_tile.py"


rule join_map:
    input:
        plan="<results>/scene/event/plan.json",
        images=lambda wildcards: tile_files("event", "tif"),
        bundle=ancient(bundle_file()),
        sums="<results>/scene/event/plan.sha256",
        tile_sums=lambda wildcards: tile_files("event", "sha256"),
    output:
        probability="<results>/map/probability.tif",
        sums="<results>/scene/probability.sha256",
    log:
        "<logs>/scene/join_map.log",
    benchmark:
        "<benchmarks>/scene/join_map.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        bundle=CONFIG.bundle.path,
        code=source_digest("scene/join_map.py"),
    script:
        "../workflow/scripts/scene/join_map.py"


rule write_zones:
    input:
        plan="<results>/scene/event/plan.json",
        cells=lambda wildcards: tile_files("event", "parquet"),
        placebo_plan=lambda wildcards: placebo_plan("json"),
        placebo_cells=lambda wildcards: placebo_files("parquet"),
        rasters=lambda wildcards: [ancient(path) for path in scene_rasters()],
        bundle=ancient(bundle_file()),
        images="<results>/scene/event/images.seen.sha256",
        sums="<results>/scene/event/plan.sha256",
        placebo_sums=lambda wildcards: placebo_plan("sha256"),
        tile_sums=lambda wildcards: [
            *tile_files("event", "sha256"),
            *placebo_files("sha256"),
        ],
    output:
        zones="<results>/map/zones.gpkg",
        facts="<results>/scene/findings.json",
        sums="<results>/scene/zones.sha256",
    log:
        "<logs>/scene/write_zones.log",
    benchmark:
        "<benchmarks>/scene/write_zones.jsonl"
    conda:
        "../envs/gpu.yaml"
    threads: 4
    resources:
        gpu=1,
    params:
        bundle=CONFIG.bundle.path,
        question=map_question(),
        threshold=CONFIG.predict.threshold,
        leases=leases,
        code=source_digest("scene/write_zones.py"),
    script:
        "../workflow/scripts/scene/write_zones.py"


rule write_map_page:
    input:
        plan="<results>/scene/event/plan.json",
        checks="<results>/scene/event/checks.json",
        probability="<results>/map/probability.tif",
        zones="<results>/map/zones.gpkg",
        facts="<results>/scene/findings.json",
        rasters=lambda wildcards: [ancient(path) for path in scene_rasters()],
        bundle=ancient(bundle_file()),
        images="<results>/scene/event/images.seen.sha256",
        sums=[
            "<results>/scene/event/plan.sha256",
            "<results>/scene/probability.sha256",
            "<results>/scene/zones.sha256",
        ],
    output:
        page="<results>/map/map.html",
        item="<results>/map/item.json",
        checks="<results>/map/checks.json",
        drift="<results>/map/drift.json",
        style="<results>/map/style.qml",
        archive="<results>/map.zip",
        sums="<results>/scene/map.sha256",
    log:
        "<logs>/scene/write_map_page.log",
    benchmark:
        "<benchmarks>/scene/write_map_page.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        bundle=CONFIG.bundle.path,
        question={**map_question(), "threshold": CONFIG.predict.threshold},
        code=source_digest("scene/write_map_page.py"),
    script:
        "../workflow/scripts/scene/write_map_page.py"
