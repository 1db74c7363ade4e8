"""Features stage: statistics of every patch for the trees, scaling of every channel for networks."""


rule compute_statistics:
    input:
        store=ancient("<results>/store/{split}.h5"),
        pixels=lambda wildcards: pixels_of(wildcards.split),
        sums="<results>/store/{split}.sha256",
    output:
        features="<results>/features/{split}.parquet",
        sums="<results>/features/{split}.sha256",
    log:
        "<logs>/features/compute_statistics_{split}.log",
    benchmark:
        "<benchmarks>/features/compute_statistics_{split}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 8
    params:
        code=source_digest("features/compute_statistics.py"),
    script:
        "../workflow/scripts/features/compute_statistics.py"


# Of {scope} all, train or fold<k>: the patches that count.
rule fit_scaling:
    input:
        unpack(scaling_input),
    output:
        scaling="<results>/features/scaling{scope}.parquet",
        sums="<results>/features/scaling{scope}.sha256",
    log:
        "<logs>/features/fit_scaling{scope}.log",
    benchmark:
        "<benchmarks>/features/fit_scaling{scope}.jsonl"
    wildcard_constraints:
        scope=r"|_all|_train|_fold\d+",
    conda:
        "../envs/cpu.yaml"
    threads: 8
    params:
        scope=lambda wildcards: scaling_scope(wildcards.scope),
        max_patches=CONFIG.scaling.max_patches,
        seed=CONFIG.seed,
        code=source_digest("features/fit_scaling.py"),
    script:
        "../workflow/scripts/features/fit_scaling.py"
