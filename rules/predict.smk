"""New patches stage: what a bundle says of a folder of patches, with nothing of the training."""


rule predict:
    input:
        "<results>/predictions.parquet",
        "<results>/predictions.csv",
        "<results>/drift.json",
        "<results>/report.html",


rule list_new_patches:
    input:
        bundle=ancient(bundle_file()),
        patches=ancient(CONFIG.patches),
    output:
        listing="<results>/asked/listing.parquet",
        listing_summary="<results>/asked/listing.json",
        sums="<results>/asked/listing.sha256",
    log:
        "<logs>/list_new_patches.log",
    benchmark:
        "<benchmarks>/list_new_patches.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        bundle=CONFIG.bundle.path,
        digests=lambda wildcards: [bundle_digest(), new_patch_listing()],
        code=source_digest("predict/list_new_patches.py"),
    script:
        "../workflow/scripts/predict/list_new_patches.py"


rule survey_new_patches:
    input:
        bundle=ancient(bundle_file()),
        patches=ancient(CONFIG.patches),
        listing=ancient("<results>/asked/listing.parquet"),
        listing_summary="<results>/asked/listing.json",
        sums="<results>/asked/listing.sha256",
    output:
        survey="<results>/asked/surveys/{shard}.npz",
        sums="<results>/asked/surveys/{shard}.sha256",
    log:
        "<logs>/survey_new_patches_{shard}.log",
    benchmark:
        "<benchmarks>/survey_new_patches_{shard}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 8
    params:
        bundle=CONFIG.bundle.path,
        shards=lambda wildcards: answer_shards(),
        code=source_digest("predict/survey_new_patches.py"),
    script:
        "../workflow/scripts/predict/survey_new_patches.py"


rule judge_new_patches:
    input:
        bundle=ancient(bundle_file()),
        listing=ancient("<results>/asked/listing.parquet"),
        listing_summary="<results>/asked/listing.json",
        surveys=lambda wildcards: [
            ancient(path) for path in of_shards("surveys", "npz")
        ],
        sums="<results>/asked/listing.sha256",
        survey_sums=lambda wildcards: of_shards("surveys", "sha256"),
    output:
        manifest="<results>/asked/manifest.parquet",
        drift="<results>/drift.json",
        sums="<results>/asked/manifest.sha256",
    log:
        "<logs>/judge_new_patches.log",
    benchmark:
        "<benchmarks>/judge_new_patches.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        bundle=CONFIG.bundle.path,
        on_drift=CONFIG.predict.on_drift,
        code=source_digest("predict/judge_new_patches.py"),
    script:
        "../workflow/scripts/predict/judge_new_patches.py"


rule answer_new_patches:
    input:
        bundle=ancient(bundle_file()),
        patches=ancient(CONFIG.patches),
        manifest="<results>/asked/manifest.parquet",
        sums="<results>/asked/manifest.sha256",
    output:
        answers="<results>/asked/answers/{shard}.parquet",
        sums="<results>/asked/answers/{shard}.sha256",
    log:
        "<logs>/answer_new_patches_{shard}.log",
    benchmark:
        "<benchmarks>/answer_new_patches_{shard}.jsonl"
    conda:
        "../envs/gpu.yaml"
    threads: 4
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        bundle=CONFIG.bundle.path,
        shards=lambda wildcards: answer_shards(),
        settings=CONFIG.predict.model_dump(mode="json", exclude={"on_drift"}),
        leases=leases,
        code=source_digest("predict/answer_new_patches.py"),
    script:
        "../workflow/scripts/predict/answer_new_patches.py"


rule gather_answers:
    input:
        manifest="<results>/asked/manifest.parquet",
        answers=lambda wildcards: of_shards("answers", "parquet"),
        sums="<results>/asked/manifest.sha256",
        answer_sums=lambda wildcards: of_shards("answers", "sha256"),
    output:
        predictions="<results>/predictions.parquet",
        csv="<results>/predictions.csv",
        sums="<results>/predictions.sha256",
    log:
        "<logs>/gather_answers.log",
    benchmark:
        "<benchmarks>/gather_answers.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        code=source_digest("predict/gather_answers.py"),
    script:
        "../workflow/scripts/predict/gather_answers.py"


rule write_answers_page:
    input:
        bundle=ancient(bundle_file()),
        patches=ancient(CONFIG.patches),
        predictions="<results>/predictions.parquet",
        manifest="<results>/asked/manifest.parquet",
        drift="<results>/drift.json",
        sums=["<results>/predictions.sha256", "<results>/asked/manifest.sha256"],
    output:
        page="<results>/report.html",
    log:
        "<logs>/write_answers_page.log",
    benchmark:
        "<benchmarks>/write_answers_page.jsonl"
    conda:
        "../envs/cpu.yaml"
    params:
        bundle=CONFIG.bundle.path,
        settings=CONFIG.predict.model_dump(mode="json"),
        code=source_digest("predict/write_answers_page.py"),
    script:
        "../workflow/scripts/predict/write_answers_page.py"
