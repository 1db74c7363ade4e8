"""The real DAG: what is planned, what is refused, what a change reruns."""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import numpy as np
import pandas as pd
import pytest
from damage import jobs_in, rules_in, unguarded

from crash_campaign import Campaign, Command
from project import ROOT, shipped_config
from runs import SECRET, SMALL, planned, read, results_of, snakemake, start_snakemake


def test_the_papers_system_is_nine_models_by_five_folds(tmp_path: Path):
    jobs = planned(snakemake(tmp_path, "-n", "--quiet", "rules", "--", "all"))
    trained = jobs["train_network"], jobs["train_lightgbm"], jobs["train_xgboost"]
    assert trained == (35, 5, 5)
    assert jobs["fetch_weights"] == 5


def test_a_misspelt_key_is_refused_before_any_job(tmp_path: Path):
    answer = snakemake(tmp_path, "--", "all", config={"folds": {"schema": "kfold"}})
    assert answer.returncode != 0
    assert "folds.schema: unknown key; did you mean 'scheme'?" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed: 1\nfolds: {n: 3}\nseed: 2\n", "seed stands there twice, on lines 1 and 3"),
        ("__use_yte__: true\nseed: ?open('ran', 'w').fileno()\n", "__use_yte__ lets values run"),
        ("folds: {n: 3\n", "line 2, column 1: not valid YAML"),
        ("folds:\n\tn: 3\n", "indent with spaces, not tabs"),
        ("seed: 1 # caf\udce9\n", "line 1: not UTF-8; save the file as UTF-8"),
        ("\ufeffseed: 1".encode("utf-16-le").decode(errors="surrogateescape"), "is UTF-16"),
        ("ensemble: {threshold: 50%}\n", "expected exact, grid or a number"),
        ("data: {folder: 'data{2024}'}\n", "data.folder: a path cannot hold { }"),
    ],
)
def test_a_config_file_is_refused_in_landslips_words(tmp_path: Path, text: str, words: str):
    path = tmp_path / "mine.yaml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    answer = snakemake(tmp_path, "-n", "--configfile", str(path), "--", "all")
    assert answer.returncode != 0
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "ran").exists()


def test_a_null_on_the_command_line_means_what_it_means_in_a_file(tmp_path: Path):
    values = ["data={folder: null}", "ensemble={'members': None}", "models={xgboost: null}"]
    jobs = planned(snakemake(tmp_path, "-n", "--quiet", "rules", "--config", *values, "--", "all"))
    assert jobs["simulate_patches"] == 1
    assert "train_xgboost" not in jobs


@pytest.mark.parametrize(
    ("timm", "words"),
    [
        ("test_vit2.none_in1k", "did you mean 'test_vit2.r160_in1k'"),
        ("coatnet_pico_rw_224", "does not take 4 channels of 50 x 50 pixels"),
    ],
)
def test_an_encoder_that_cannot_be_is_refused_by_a_dry_run(timm: str, words: str, tmp_path: Path):
    encoders = {**SMALL["encoders"], "enc3": {"timm": timm, "pretrained": False}}
    config = {**with_training(image_size=50), "encoders": encoders}
    answer = snakemake(tmp_path, "-n", "--", "all", config=config)
    assert answer.returncode != 0
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_missing_patch_folder_is_refused_by_name(tmp_path: Path):
    answer = snakemake(tmp_path, "-n", "--", "all", config={"data": {"folder": "nowhere"}})
    assert answer.returncode != 0
    assert "nowhere" in answer.stdout + answer.stderr


def test_results_go_where_any_spelling_of_their_folder_says(tmp_path: Path):
    config = {**SMALL, "results": f"{tmp_path}//x/../out/"}
    answer = snakemake(tmp_path, "-n", "--quiet", "rules", "--", "out/report.html", config=config)
    assert planned(answer)["write_report"] == 1
    assert "double" not in answer.stderr


def test_a_gpu_asked_for_and_absent_is_refused(tmp_path: Path, project: Path, run: Path):
    """gpu=1 on a machine without one: no silent training on the CPU."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    answer = snakemake(
        copy,
        "--resources",
        "gpu=1",
        "--forcerun",
        "train_network",
        "--",
        "results/models/pwee_v2_standard/fold0/oof.parquet",
        config=SMALL,
        root=project,
    )
    assert answer.returncode != 0
    assert "--resources gpu=0" in answer.stdout + answer.stderr
    kept = Path("results") / "models" / "pwee_v2_standard" / "fold0"
    assert {path.name for path in (copy / kept).iterdir()} == {
        path.name for path in (run / kept).iterdir()
    }
    assert (copy / kept / "oof.parquet").read_bytes() == (run / kept / "oof.parquet").read_bytes()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, whose code a test may edit."""
    root = tmp_path_factory.mktemp("project")
    for name in ("landslip", "rules", "workflow", "profiles", "envs", "resources"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.fixture(scope="module")
def run(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the small workflow with that copy. Tests only plan further work in it."""
    folder = tmp_path_factory.mktemp("run")
    answer = snakemake(folder, "--", "all", config=SMALL, root=project)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-6000:]
    return folder


def test_a_training_that_stands_is_not_repeated_for_its_benchmark_file(
    tmp_path: Path, project: Path, run: Path
):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    shutil.rmtree(folder / "results" / "benchmarks" / "models")
    answer = snakemake(folder, "-n", "--quiet", "rules", "--", "all", config=SMALL, root=project)
    assert not [rule for rule in planned(answer) if rule.startswith("train_")]


# Each job works in a folder of Snakemake's that holds its declared inputs and nothing else: links
# where patch folders are among them, else copies, as models are refused behind links.
ALONE = """

for one in workflow.rules:
    of_folders = {"list_patches", "survey_patches", "build_manifest", "build_store"}
    one.shadow_depth = "minimal" if one.name in of_folders else "copy-minimal"
    if "gpu" in one.resources:
        one.resources["gpu"] = 0
"""


def test_jobs_that_see_their_inputs_alone_in_another_place_give_the_same_results(
    tmp_path: Path, project: Path, run: Path
):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    with open(root / "Snakefile", "a") as file:
        file.write(ALONE)
    folder = tmp_path / "run"
    for name in ("processor.json", "processor.sha256"):  # what it says depends on the time of day
        (folder / "results" / "models").mkdir(parents=True, exist_ok=True)
        shutil.copy(run / "results" / "models" / name, folder / "results" / "models" / name)
    locales = tmp_path / "locales"
    locales.mkdir()
    turkish = locales / "tr_TR.UTF-8"
    made = subprocess.run(
        ["localedef", "-i", "tr_TR", "-f", "UTF-8", str(turkish)], capture_output=True, check=False
    )
    elsewhere = {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "LOCPATH": str(locales)}
    elsewhere["LC_ALL"] = turkish.name if made.returncode == 0 else "C"
    answer = snakemake(
        folder, "--", "all", config=SMALL, root=root, environment=elsewhere, umask=0o077
    )
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-6000:]
    whole, alone = results_of(run), results_of(folder)
    assert whole.keys() == alone.keys()
    assert [name for name in whole if whole[name] != alone[name]] == []
    costs = [
        pd.read_csv(base / "results" / "report" / "cost.csv")[["part", "jobs", "missing"]]
        for base in (run, folder)
    ]
    pd.testing.assert_frame_equal(*costs)


def replan(
    project: Path, run: Path, *options: str, config: dict[str, Any] = SMALL
) -> dict[str, int]:
    """Jobs that the finished run would need now."""
    answer = snakemake(
        run, "-n", "--quiet", "rules", *options, "--", "all", config=config, root=project
    )
    jobs = planned(answer)
    jobs.pop("all", None)
    return jobs


def test_planning_imports_nothing_that_jobs_compute_with(tmp_path: Path):
    heavy = ["torch", "timm", "lightgbm", "xgboost", "sklearn", "scipy", "matplotlib", "h5py"]
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('found', [n for n in {heavy} if n in sys.modules]))\n"
        "from snakemake.cli import main\nmain(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", code, "-n", "--quiet", "all", "--snakefile"]
    command += [str(ROOT / "Snakefile"), "--directory", str(tmp_path), "--", "all", "ablation"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.endswith("found []\n")


def test_a_mistake_in_the_ablation_keeps_nothing_else_from_being_planned(tmp_path: Path):
    """Training is built on the models alone; whoever breaks the ablation breaks the ablation."""
    mistake = {"title": "Mine", "base": "no_such_model", "variants": {"v": {"change": {}}}}
    config = {**SMALL, "ablation": {"tables": {"mine": mistake}}}
    answer = snakemake(tmp_path, "-n", "--quiet", "rules", "--", "all", config=config)
    jobs = planned(answer)
    assert {"train_network", "train_lightgbm", "train_xgboost", "write_report"} <= jobs.keys()
    assert "landslip: the ablation is not valid" in answer.stderr
    assert "unknown model 'no_such_model'" in answer.stderr
    answer = snakemake(tmp_path, "-n", "--", "ablation", config=config)
    assert answer.returncode != 0
    assert "unknown model 'no_such_model'" in answer.stderr


def test_every_file_of_the_contract_is_there(run: Path):
    results = run / "results"
    for name in (
        "data/manifest.parquet",
        "data/audit.json",
        "data/audit.html",
        "data/folds.parquet",
        "store/train.h5",
        "store/test.h5",
        "features/train.parquet",
        "features/scaling.parquet",
        "models/lightgbm/fold0/model.txt",
        "models/xgboost/fold1/model.ubj",
        "models/pwee_v2_standard/fold1/model.safetensors",
        "models/pwee_v2_standard/fold1/cost.json",
        "ensemble/threshold.json",
        "report/speed.csv",
        "report.html",
    ):
        assert (results / name).stat().st_size > 0, name


@pytest.fixture(scope="module")
def bundled(project: Path, run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the run with a bundle of it."""
    folder = tmp_path_factory.mktemp("bundled") / "run"
    shutil.copytree(run, folder)
    answer = snakemake(folder, "--", "bundle", config=SMALL, root=project)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-6000:]
    return folder


def test_no_secret_of_the_environment_stands_in_a_file(bundled: Path):
    """The environment of every run here holds one."""
    looked = 0
    for path in bundled.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
            looked += 1
    assert looked > 200
    with zipfile.ZipFile(bundled / "results" / "bundle.zip") as archive:
        assert not any(SECRET.encode() in archive.read(name) for name in archive.namelist())


def test_the_notebook_reads_results_and_predicts_what_the_workflow_did(
    bundled: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LANDSLIP_RESULTS", str(bundled / "results"))
    notebook = nbformat.read(ROOT / "docs" / "results.ipynb", as_version=4)
    same = "assert (compared['now'] - compared['probability']).abs().max() < 1e-4"
    notebook.cells.append(nbformat.v4.new_code_cell(same))
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.execute(cwd=str(ROOT / "docs"))
    assert any("image/png" in str(cell.get("outputs")) for cell in notebook.cells)


def test_predictions_have_the_contracts_columns_and_every_patch_once(run: Path):
    results = run / "results"
    members = ["lightgbm", "xgboost", "pwee_v2_standard"]
    oof = pd.read_parquet(results / "ensemble" / "oof.parquet")
    assert list(oof.columns) == ["id", "fold", "label", "probability", *members]
    labels = pd.read_csv(results / "simulated" / "Train.csv")
    assert sorted(oof["id"]) == sorted(labels["ID"])
    assert oof["probability"].to_numpy() == pytest.approx(oof[members].mean(axis=1).to_numpy())
    submission = pd.read_csv(results / "submission.csv")
    assert list(submission.columns) == ["ID", "label"]
    assert (
        submission["ID"].tolist() == pd.read_csv(results / "simulated" / "Test.csv")["ID"].tolist()
    )
    test = pd.read_parquet(results / "ensemble" / "test.parquet")
    threshold = read(results / "ensemble" / "threshold.json")["threshold"]
    assert (test["landslide"] == (test["probability"] > threshold)).all()


def test_a_bundle_answers_elsewhere_with_the_bits_of_the_run_itself(
    project: Path, run: Path, bundled: Path, tmp_path: Path
):
    """With no training data there, in shards, beside a patch of which nothing is known."""
    elsewhere = tmp_path / "elsewhere"
    patches = elsewhere / "patches"
    shutil.copytree(run / "results" / "simulated" / "test_data", patches)
    shutil.copy(bundled / "results" / "bundle.zip", elsewhere / "given.zip")
    ids = pd.read_csv(run / "results" / "simulated" / "Test.csv")["ID"].tolist()
    known = np.load(patches / f"{ids[0]}.npy")
    np.save(patches / "ID_none.npy", np.full_like(known, np.nan))
    (patches / "asked.csv").write_text("\n".join(["ID", *ids, "ID_none"]) + "\n")
    asked = ["bundle=given.zip", "patches=patches", "data={patches_per_shard: 11}"]
    answer = snakemake(elsewhere, "--config", *asked, "--", "predict", root=project)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-6000:]
    results = elsewhere / "results" / "predict"
    found = pd.read_parquet(results / "predictions.parquet")
    expected = pd.read_parquet(run / "results" / "ensemble" / "test.parquet")
    assert found["id"].tolist() == [*expected["id"], "ID_none"]
    pd.testing.assert_frame_equal(found[list(expected.columns)][:-1], expected, check_exact=True)
    assert found.iloc[-1][["probability", "landslide"]].isna().all()
    assert set(found["sensors"][:-1]) == {"optical+descending+ascending"}
    assert not read(results / "drift.json")["drifted"]
    assert "ID_none" in (results / "predictions.csv").read_text()
    assert ids[0] in (results / "report.html").read_text()
    again = snakemake(elsewhere, "-n", "--config", *asked, "--", "predict", root=project)
    assert "Nothing to be done" in again.stdout + again.stderr
    jobs = jobs_in(
        elsewhere, "predict", config=None, root=project, flags=["--forceall", "--config", *asked]
    )
    found = unguarded(elsewhere, jobs)
    assert found.keys() == rules_in("predict.smk")
    # Of a bundle every file is compared as it is opened, of patches as they are read again.
    assert {path for paths in found.values() for path in paths} == {"given.zip"}


def test_a_bundle_or_patches_that_are_not_there_are_refused_before_any_job(tmp_path: Path):
    (tmp_path / "patches").mkdir()
    for asked, words in (
        (["bundle=nowhere", "patches=patches"], "there is no bundle at nowhere"),
        (["patches=patches"], "name the bundle that is asked"),
        (["bundle=patches", "patches=nowhere"], "cannot list the patch folder nowhere"),
    ):
        answer = snakemake(tmp_path, "-n", "--config", *asked, "--", "predict")
        assert answer.returncode != 0
        assert words in answer.stderr, answer.stderr
        assert "Traceback" not in answer.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name != ".snakemake"] == ["patches"]


def test_a_finished_run_has_nothing_to_do(project: Path, run: Path):
    assert replan(project, run) == {}


def test_times_of_change_in_any_order_rerun_nothing(project: Path, run: Path):
    """A copy gives files their times in the order of the folder's entries, sources perhaps last."""
    files = [path for path in (run / "results").rglob("*") if path.is_file()]
    files.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    files += [path for path in project.rglob("*") if path.is_file()]
    start = time.time() - len(files)
    for second, path in enumerate(files):
        os.utime(path, (start + second, start + second))
    assert replan(project, run) == {}


def test_another_spelling_of_the_results_folder_reruns_nothing(project: Path, run: Path):
    for spelling in ("./results/", f"{run}/results", "x/..//results"):
        assert replan(project, run, config={**SMALL, "results": spelling}) == {}


def in_shards(split: str) -> dict[str, Any]:
    """The small workflow of several shards, scaled by `split`."""
    data = {**SMALL["data"], "patches_per_shard": 15}
    return {**SMALL, "data": data, "scaling": {"fit": split}}


def with_weights(config: dict[str, Any]) -> dict[str, Any]:
    """The same whose networks start from weights of the user's."""
    encoder = {"timm": "test_vit2", "pretrained": True, "weights": "given.safetensors"}
    return {**config, "encoders": {**config["encoders"], "enc3": encoder}}


@pytest.mark.parametrize("config", [SMALL, in_shards("all"), with_weights(in_shards("fold"))])
def test_who_reads_a_file_of_another_job_reads_its_sums(config: dict[str, Any], tmp_path: Path):
    (tmp_path / "given.safetensors").touch()
    jobs = jobs_in(tmp_path, "all", "ablation", "bundle", config=config)
    # The manifest holds digests of patches, a store's index those of its pixels.
    elsewhere = ("_data", ".pixels.h5")
    made = {
        path: job.outputs for job in jobs for path in job.outputs if not path.endswith(elsewhere)
    }
    read = [(job.inputs, path) for job in jobs for path in job.inputs]
    between = [(inputs, path) for inputs, path in read if path in made]
    assert len(between) > 200
    for inputs, path in between:
        (sums,) = [name for name in made[path] if name.endswith(".sha256")]
        assert sums in inputs, (path, inputs)


def test_no_job_reads_what_changed_since_it_was_written(
    project: Path, bundled: Path, tmp_path: Path
):
    folder = tmp_path / "run"
    shutil.copytree(bundled, folder)
    jobs = jobs_in(folder, "all", "bundle", config=SMALL, root=project)
    read = {path for job in jobs for path in job.inputs}
    found = unguarded(folder, jobs)
    # Members that are asked again, weights that are fetched and scenes are not of this workflow.
    everywhere = rules_in(
        *(
            f"{stage}.smk"
            for stage in ("data", "features", "models", "ensemble", "report", "bundle")
        )
    )
    assert everywhere - found.keys() <= {"fetch_weights", "predict_held_out", "compare_splits"}
    # What Snakemake itself measured is not between jobs: it decides no result.
    seconds = {path for path in read if path.startswith("results/benchmarks/")}
    own = {path for path in read if Path(path).is_relative_to(project)}
    assert {path for paths in found.values() for path in paths} <= seconds | own
    suffixes = {".parquet", ".json", ".h5", ".npz", ".csv", ".png", ".html", ".txt", ".ubj"}
    assert {Path(path).suffix for path in read} >= suffixes | {".safetensors", ".sha256"}


def test_jobs_refuse_damage_by_the_files_name(project: Path, run: Path, tmp_path: Path):
    """One bit of rows in a footer; one of a text in the heap of HDF5, which hangs who reads it."""
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    targets = {"ensemble/oof.parquet": "ensemble/threshold.json"}
    targets["store/test.h5"] = "models/pwee_v2_standard/fold0/test.parquet"
    for name in targets:
        path = folder / "results" / name
        content, times = bytearray(path.read_bytes()), path.stat()
        content[content.index(b"GCOL") + 20 if name.endswith("h5") else -20] ^= 2
        path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    targets = {name: f"results/{target}" for name, target in targets.items()}
    forced = ["--force", *targets.values()]
    answer = snakemake(folder, *forced, config=SMALL, root=project)
    assert answer.returncode != 0
    for name, target in targets.items():
        assert f"results/{name} is damaged or of another run" in answer.stderr
        assert not (folder / target).exists()


def test_redoing_one_fold_redoes_what_follows_and_nothing_else(project: Path, run: Path):
    jobs = replan(project, run, "-R", "results/models/lightgbm/fold1/oof.parquet")
    assert (jobs["train_lightgbm"], jobs["predict_trees"]) == (1, 1)
    assert "predict_network" not in jobs
    assert set(jobs) >= {"gather_oof", "search_threshold", "predict_test", "measure_ensemble"}
    assert not {"train_xgboost", "train_network", "build_store", "compute_statistics"} & set(jobs)


@pytest.fixture
def edit(project: Path) -> Iterator[Callable[..., None]]:
    """Edits a module of the library for the length of a test."""
    before: dict[Path, str] = {}

    def replace(module: str, *changes: tuple[str, str]) -> None:
        path = project / "landslip" / module
        text = path.read_text()
        before.setdefault(path, text)
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path.write_text(text if changes else f"{text}\nedited = 1\n")

    yield replace
    for path, text in before.items():
        path.write_text(text)


def test_a_comment_a_docstring_and_a_log_line_plan_nothing_and_a_number_plans_the_trainings(
    project: Path, run: Path, edit: Callable[..., None]
):
    edit(
        "models/run.py",
        ("# Steps between looks", "# Number of steps between looks"),
        ("One training under way: its steps, and", "A training under way: the steps, and"),
        ('"epoch %d/%d  loss %.4f ', '"epoch %d of %d  loss %.5f '),
    )
    edit(
        "models/trees.py",
        ("# Here, so that", "# In here, so that"),
        ("Loss and F1 by round, kept", "Loss and F1 of rounds, kept"),
        ("round %d of %d, %.0f rounds/s", "round %d/%d, %.1f rounds/s"),
    )
    for module in ("io/logs.py", "engine/devices.py", "models/cost.py", "models/interruption.py"):
        edit(module)
    assert replan(project, run) == {}
    edit("models/run.py", ("_STEPS_BETWEEN_CHECKS = 50", "_STEPS_BETWEEN_CHECKS = 51"))
    edit("models/trees.py", ("SECONDS_BETWEEN_LINES = 10.0", "SECONDS_BETWEEN_LINES = 11.0"))
    jobs = replan(project, run)
    assert [jobs[f"train_{kind}"] for kind in ("network", "lightgbm", "xgboost")] == [2, 2, 2]
    assert not {"assign_folds", "build_store", "compute_statistics", "fit_scaling"} & set(jobs)


@pytest.mark.parametrize(
    ("module", "reruns", "keeps"),
    [
        ("models/heads.py", {"train_network"}, {"train_lightgbm", "train_xgboost", "build_store"}),
        ("models/boosting.py", {"train_lightgbm", "train_xgboost"}, {"train_network"}),
        (
            "models/predict_network.py",
            {"predict_network", "predict_test"},
            {"train_network", "predict_trees", "gather_oof"},
        ),
        (
            "models/predict_trees.py",
            {"predict_trees", "predict_test"},
            {"train_lightgbm", "train_xgboost", "predict_network"},
        ),
        (
            "models/fold_models.py",
            {"predict_network", "predict_trees"},
            {"train_network", "train_lightgbm", "train_xgboost"},
        ),
        ("ensemble/threshold.py", {"search_threshold"}, {"train_network", "train_lightgbm"}),
        (
            "features/scaling.py",
            {"fit_scaling", "train_network"},
            {"train_lightgbm", "compute_statistics", "build_store"},
        ),
        (
            "features/statistics.py",
            {"compute_statistics", "train_lightgbm", "train_xgboost"},
            {"train_network", "build_store"},
        ),
        ("data/folds.py", {"assign_folds", "train_network", "train_lightgbm"}, {"build_store"}),
        (
            "data/audit_page.py",
            {"write_audit"},
            {"build_manifest", "train_network", "write_report"},
        ),
        ("report/curves.py", {"draw_report", "write_report"}, {"search_threshold"}),
        (
            "models/settings.py",
            set(),
            {"train_network", "train_lightgbm", "build_store", "write_report"},
        ),
    ],
)
def test_editing_a_module_reruns_its_stages_dependents_only(
    module: str,
    reruns: set[str],
    keeps: set[str],
    project: Path,
    run: Path,
    edit: Callable[..., None],
):
    edit(module)
    rules = set(replan(project, run))
    assert reruns <= rules
    assert not keeps & rules


def with_model(name: str, over: dict[str, Any]) -> dict[str, Any]:
    """The small workflow with other hyper-parameters of one model."""
    models = {**SMALL["models"], name: {**SMALL["models"][name], **over}}
    return {**SMALL, "models": models}


def test_another_hyper_parameter_retrains_that_model_only(project: Path, run: Path):
    jobs = replan(project, run, config=with_model("xgboost", {"trees": 11}))
    assert jobs["train_xgboost"] == 2
    assert not {"train_lightgbm", "train_network", "assign_folds"} & set(jobs)


def test_the_report_tells_the_settings_that_the_models_have(
    tmp_path: Path, project: Path, run: Path
):
    """Snakemake, told to look at times alone, remakes the page after a change of the config."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    options = ("--rerun-triggers", "mtime", "-R", "write_report", "--", "results/report.html")
    answer = snakemake(copy, *options, config=with_model("xgboost", {"trees": 11}), root=project)
    assert answer.returncode == 0, answer.stderr[-3000:]
    page = (copy / "results" / "report.html").read_text()
    assert "trees was 10, is 11" in page
    assert "10 trees" in page
    assert "11 trees" not in page


def with_training(**over: Any) -> dict[str, Any]:
    """The small workflow with other settings of its network's training."""
    training = {**SMALL["models"]["pwee_v2_standard"]["training"], **over}
    return with_model("pwee_v2_standard", {"training": training})


def test_how_often_to_save_retrains_nothing(project: Path, run: Path):
    jobs = replan(project, run, config=with_training(save_minutes=1))
    assert not {"train_network", "train_lightgbm", "train_xgboost"} & set(jobs)


def test_how_gpus_are_shared_retrains_nothing(project: Path, run: Path):
    sharing = {"slots_per_device": 3, "wait": False}
    jobs = replan(project, run, config={**SMALL, "gpu": sharing})
    assert not {"train_network", "train_lightgbm", "train_xgboost"} & set(jobs)


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_workflow_goes_on_where_its_training_was(
    kill: int, tmp_path: Path, project: Path, run: Path
):
    """What a terminal's Ctrl-C and a machine that goes down do to all processes at once."""
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    config = with_training(epochs=30)
    target = "results/models/pwee_v2_standard/fold0/oof.parquet"
    resume = (folder / target).with_name("model.safetensors.resume")
    with start_snakemake(folder, "--", target, config=config, root=project) as program:
        while program.poll() is None and not resume.exists():
            time.sleep(0.02)
        os.killpg(program.pid, kill)
    assert program.returncode != 0
    left = {path.name for path in resume.parent.iterdir() if ".tmp" not in path.name}
    # The test predictions are another job's, and stay until it runs.
    earlier = {"test.parquet", "model.safetensors", "model.json", "oof.parquet"}
    earlier |= {"history.parquet", "cost.json", "files.sha256"}
    hidden = {".previous", "test.parquet"}
    assert left - {resume.name} == (earlier if kill == signal.SIGINT else hidden)
    assert resume.exists()
    answer = snakemake(folder, "--", target, config=config, root=project)
    assert answer.returncode == 0, answer.stderr
    log = folder / "results/logs/models/pwee_v2_standard/fold0.log"
    assert "going on after" in log.read_text()
    assert not resume.exists()
    assert read(resume.with_name("cost.json"))["resumed"] == 1


def test_a_run_killed_ten_times_ends_like_one_that_was_not(
    tmp_path: Path, project: Path, run: Path
):
    command = Command("all", SMALL, root=project)
    campaign = Campaign(command, run, tmp_path / "killed", seed=1)
    campaign.run(rounds=10)
    assert campaign.kills == 10


# A job that has ended, whose files show four seconds later.
LATE = """
import os, subprocess
for path in snakemake.output:
    os.rename(path, f"{path}.late")
    subprocess.Popen(["sh", "-c", f"sleep 4; mv {path}.late {path}"], stdin=subprocess.DEVNULL,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
"""
THRESHOLD = "results/ensemble/threshold.json"


def test_files_that_a_slow_file_system_shows_late_are_waited_for(
    tmp_path: Path, project: Path, run: Path
):
    root, folder = tmp_path / "project", tmp_path / "run"
    shutil.copytree(project, root)
    shutil.copytree(run, folder)
    script = root / "workflow" / "scripts" / "ensemble" / "search_threshold.py"
    script.write_text(script.read_text() + LATE)
    for seconds, code in ((0, 1), (60, 0)):
        given = ("--latency-wait", str(seconds), "--force", THRESHOLD)
        answer = snakemake(folder, *given, config=SMALL, root=root)
        assert answer.returncode == code, answer.stderr[-3000:]
        end = time.monotonic() + 60
        while list(folder.rglob("*.late")) and time.monotonic() < end:
            time.sleep(0.1)
    assert (folder / THRESHOLD).read_bytes() == (run / THRESHOLD).read_bytes()


def test_a_clock_that_was_set_back_hinders_nothing(tmp_path: Path, project: Path, run: Path):
    """All that was made before lies a day ahead."""
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    ahead = time.time() + 86400
    for path in (folder / "results").rglob("*"):
        os.utime(path, (ahead, ahead))
    (folder / THRESHOLD).unlink()
    answer = snakemake(folder, "--", THRESHOLD, config=SMALL, root=project)
    assert answer.returncode == 0, answer.stderr[-3000:]
    assert (folder / THRESHOLD).read_bytes() == (run / THRESHOLD).read_bytes()
    plan = ("-n", "--quiet", "rules", "--", THRESHOLD)
    assert planned(snakemake(folder, *plan, config=SMALL, root=project)) == {}


def test_swapping_two_values_is_seen(project: Path, run: Path):
    """Snakemake compares params as a set of texts; one dict in fixed order tells them apart."""
    trees = shipped_config()["models"]["lightgbm"]
    swapped = {"subsample": trees["colsample"], "colsample": trees["subsample"]}
    jobs = replan(project, run, config=with_model("lightgbm", swapped))
    assert jobs["train_lightgbm"] == 2


def test_scaling_can_be_fitted_on_the_training_part_of_each_fold(project: Path, run: Path):
    config = {**SMALL, "scaling": {"fit": "fold"}}
    jobs = replan(project, run, config=config)
    assert jobs["fit_scaling"] == 2
    target = "results/features/scaling_fold1.parquet"
    answer = snakemake(run, "--", target, config=config, root=project)
    assert answer.returncode == 0, answer.stderr[-3000:]
    results = run / "results"
    fitted = pd.read_parquet(results / "features" / "scaling_fold1.parquet")
    folds = pd.read_parquet(results / "data" / "folds.parquet")
    features = pd.read_parquet(results / "features" / "train.parquet")
    kept = features[features["id"].isin(folds.loc[folds["fold"] != 1, "id"])]
    # Patches are of one size, so the mean over pixels is the mean of the patches' means.
    expected = [kept[f"{channel}_mean"].mean() for channel in fitted["channel"]]
    assert fitted["mean"].to_numpy() == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_the_dag_can_be_drawn(tmp_path: Path):
    answer = snakemake(tmp_path, "--rulegraph", "dot", "--", "all", config=SMALL)
    assert answer.returncode == 0
    assert answer.stdout.startswith("digraph")
    assert "train_network" in answer.stdout


def test_snakemake_makes_its_own_report_with_captions(project: Path, run: Path):
    answer = snakemake(run, "--report", "report.zip", "--", "all", config=SMALL, root=project)
    assert answer.returncode == 0, answer.stderr[-3000:]
    with zipfile.ZipFile(run / "report.zip") as report:
        assert any(name.endswith("report.html") for name in report.namelist())
    (run / "report.zip").unlink()
