"""No two runs of one working folder make the same file at one time, whoever ends first."""

import subprocess
import sys
from pathlib import Path

import pytest

from landslip.engine.claims import claim_files
from landslip.io.files import InputError
from project import ROOT

RUN = """
import sys
from pathlib import Path
from landslip.engine.claims import claim_files
claim_files(Path(sys.argv[1]), sys.argv[2:])
print("claimed", flush=True)
sys.stdin.read()
"""


def start(records: Path, *files: str) -> subprocess.Popen[str]:
    """A run that makes some files, until it is killed."""
    command = [sys.executable, "-c", RUN, str(records), *files]
    other = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout and other.stdout.readline() == "claimed\n"
    return other


def test_files_are_one_runs_until_it_is_killed_whatever_others_make(tmp_path: Path):
    with start(tmp_path, "plan.json", "map.zip") as first, start(tmp_path, "oof.parquet") as other:
        # Snakemake's own lists would go with it.
        other.kill()
        other.wait()
        claim_files(tmp_path, ["page.html"])
        said = rf"process {first.pid}\) is making map\.zip and 1 more; wait"
        for _ in range(2):
            with pytest.raises(InputError, match=said):
                claim_files(tmp_path, ["map.zip", "item.json", "plan.json"])
        first.kill()
    claim_files(tmp_path, ["map.zip"])


def test_a_refused_run_claims_nothing(tmp_path: Path):
    with start(tmp_path, "map.zip") as first:
        with pytest.raises(InputError, match=r"is making map\.zip; wait"):
            claim_files(tmp_path, ["map.zip", "item.json"])
        claim_files(tmp_path, ["item.json"])
        first.kill()
