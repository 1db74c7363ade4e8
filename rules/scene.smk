"""Scenes stage: simulated ones, and a first scene file of what lies in a folder."""


rule simulate_scene:
    output:
        scene=f"{SIMULATED_SCENE}/scene.yaml",
        outlines=f"{SIMULATED_SCENE}/outlines.gpkg",
        sums=f"{SIMULATED_SCENE}/scene.sha256",
    log:
        "<logs>/scene/simulate_scene.log",
    benchmark:
        "<benchmarks>/scene/simulate_scene.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
    params:
        simulation=CONFIG.scene.simulation.model_dump(mode="json"),
        code=source_digest("scene/simulate_scene.py"),
    script:
        "../workflow/scripts/scene/simulate_scene.py"


if CONFIG.folder is not None:

    rule describe:
        input:
            folder=ancient(CONFIG.folder),
        output:
            scene="<results>/scene.yaml",
        log:
            "<logs>/scene/describe.log",
        benchmark:
            "<benchmarks>/scene/describe.jsonl"
        conda:
            "../envs/cpu.yaml"
        params:
            folder=CONFIG.folder,
            code=source_digest("scene/describe_folder.py"),
        script:
            "../workflow/scripts/scene/describe_folder.py"
