"""What the main process does before and after a run: whose results these are, and what stood."""

from snakemake.cli import get_argument_parser
from snakemake.persistence import MetadataRecord

from landslip.engine import previous
from landslip.engine.claims import claim_files
from landslip.engine.clock import bring_back
from landslip.engine.results_folder import ResultsFolder
from landslip.engine.working_folder import enter_working_folder

# Their outputs are kept until they have run well: training costs hours, and what the second set
# refuses is often mended by putting the very same file back, which then must repeat nothing.
KEPT = {"fetch_weights", "train_network", *(f"train_{kind}" for kind in TREES)}
JUDGED = {
    "list_patches",
    "survey_patches",
    "look_at_scene",
    "list_windows",
    "build_manifest",
    "list_new_patches",
    "survey_new_patches",
    "judge_new_patches",
}


def deciding_settings():
    """All of the config that decides results, with digests for the user's files."""
    if PREDICTING:
        return asked_settings()
    if MAPPING:
        return mapped_settings()
    if ASSESSING:
        return assessed_settings()
    if ASKING:
        return {"folder": CONFIG.folder}
    settings = CONFIG.model_dump(
        mode="json",
        exclude={
            "results": True,
            "gpu": True,
            "bundle": True,
            "patches": True,
            "predict": True,
            "scene": True,
            "folder": True,
            "map": True,
            "labels": True,
            "verdicts": True,
            "assess": True,
            **({} if CONFIG.data.scenes else {"label": True, "negatives": True}),
            "channels": {name: {"sensor"} for name in CONFIG.channels},
            "models": {
                name: {"training": {"save_minutes"}}
                for name in CONFIG.models
                if name in models_of("network")
            },
            "data": {
                "folder",
                "train",
                "test",
                "scenes",
                "inventory",
                "verdicts",
                *([] if CONFIG.data.scenes else ["windows", "conventions"]),
                "links_into",
                "patches_per_shard",
            },
            "folds": {"block_size"} if CONFIG.folds.scheme != "blocks" else set(),
        },
    )
    for encoder in settings["encoders"].values():
        if encoder["weights"]:
            encoder["weights"] = content_digest(Path(encoder["weights"]))
    # Mappings are compared by name, and the order of these counts.
    settings["channel_order"] = CONFIG.channel_names
    settings["data"]["tables"] = table_digests(None)
    settings["data"]["patches"] = [patch_listing(split) for split in ("train", "test")]
    return settings


RESULTS = ResultsFolder(
    folder=Path(CONFIG.results),
    records=Path(".snakemake") / "metadata",
    settings=deciding_settings,
)


other_run = enter_working_folder(Path(".snakemake"), main=workflow.is_main_process)
if other_run == "killed":
    print("landslip: going on where a run was killed", file=sys.stderr)
elif other_run == "busy":
    # Snakemake refuses a second run that makes the same files, and advises to unlock the folder.
    print(
        "landslip: another run is at work in this folder; let it end, and do not --unlock",
        file=sys.stderr,
    )

if workflow.is_main_process:
    try:
        RESULTS.check()
    except InputError as error:
        # Read only here: Snakemake tells a Snakefile no options of the command line.
        if not get_argument_parser().parse_known_args()[0].forceall:
            refuse(error)


def begin_run():
    """Keep other runs out, say which settings hold, keep what may be lost."""
    forced = workflow.dag_settings.forceall
    try:
        RESULTS.hold()
        jobs = workflow.dag.needrun_jobs(exclude_finished=False)
        claim_files(
            Path(".snakemake"), [str(output) for job in jobs for output in job.output]
        )
        if not forced:
            # Once more, for another run may have ended since.
            RESULTS.check()
        if not workflow.touch:
            RESULTS.write()
    except InputError as error:
        refuse(error)
    if ahead := bring_back(Path(CONFIG.results)):
        print(
            f"landslip: {ahead} files of {CONFIG.results} lay ahead of this machine's clock and "
            "have the present time now",
            file=sys.stderr,
        )
    for job in kept_jobs():
        outputs = list(job.output)
        records = [workflow.persistence.metadata(output) for output in outputs]
        # What an earlier run that was killed left is partial, and what it kept is whole.
        partial = workflow.async_run(workflow.persistence.incomplete(job))
        if partial or not all(map(Path.is_file, map(Path, outputs))):
            continue
        for output, record in zip(outputs, records):
            previous.keep(Path(output), dict(record.items()) if record else {})


def kept_jobs():
    """Jobs of this run whose outputs are kept."""
    return [
        job
        for job in workflow.dag.needrun_jobs(exclude_finished=False)
        if job.rule.name in KEPT | JUDGED
    ]


def end_run():
    """Forget what was kept."""
    for job in kept_jobs():
        for output in job.output:
            previous.forget(Path(output))
    whole = {"all", "predict", "map", "assess"}
    if any(job.rule.name in whole for job in workflow.dag.finished_jobs):
        RESULTS.settle()


def take_back():
    """Put back what stood in place of the outputs of jobs that did not end well, as it was."""
    jobs = kept_jobs()
    failed = [job for job in jobs if not workflow.dag.finished(job)]
    # A run that is merely stopped goes on from what has ended.
    stopped = getattr(workflow.scheduler, "_user_kill", None)
    refused = not stopped and any(job.rule.name in JUDGED for job in failed)
    for job in jobs:
        outputs = [Path(output) for output in job.output]
        if job not in failed and not (refused and job.rule.name in JUDGED):
            for output in outputs:
                previous.forget(output)
        elif all(map(previous.is_kept, outputs)):
            for output in job.output:
                put_back(output)


def put_back(output):
    """The file, and what Snakemake knew of it: otherwise it would pass for the failed job's."""
    persistence = workflow.persistence
    try:
        record = previous.put_back(Path(output))
    except InputError as error:
        print(f"landslip: {error}", file=sys.stderr)
        return
    persistence.cleanup_metadata(output)
    if record:
        persistence._write_record(
            persistence._get_key(output), MetadataRecord(**record)
        )
