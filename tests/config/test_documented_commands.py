"""What the documentation has people type is taken: a shell expands it, and the config is valid."""

import re
import subprocess
from pathlib import Path

import pytest

from landslip.config.files import read_config_file, read_overrides
from landslip.config.merge import merge_config
from landslip.config.schema import parse_config
from project import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Other commands do nothing; of Snakemake's the words are printed.
SHELL = """
snakemake() { printf '%s\\0' "$@"; printf '\\1'; }
for other in cd conda docker git make pip python sbatch; do eval "$other() { :; }"; done
"""


def commands(page: Path) -> list[list[str]]:
    """Words of each call of Snakemake in the blocks of a page that set keys of the config."""
    blocks = re.findall(r"^```(?:\w+)?\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    found = []
    for block in blocks:
        if not re.search(r"^\s*snakemake ", block, re.MULTILINE):
            continue
        answer = subprocess.run(
            ["bash", "-c", SHELL + block], capture_output=True, text=True, cwd=ROOT, check=False
        )
        found += [words.split("\0")[:-1] for words in answer.stdout.split("\1")[:-1]]
    return [words for words in found if "--config" in words]


WITH_COMMANDS = {page.name: own for page in PAGES if (own := commands(page))}


def test_commands_are_found() -> None:
    assert {"README.md", "inventory.md", "map.md", "assess.md"} <= set(WITH_COMMANDS)
    assert len(WITH_COMMANDS["inventory.md"]) >= 8


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_documented_commands_set_valid_keys(page: str) -> None:
    shipped = read_config_file(ROOT / "config.yaml")
    for words in WITH_COMMANDS[page]:
        start = words.index("--config") + 1
        flags = (at for at in range(start, len(words)) if words[at].startswith("-"))
        end = next(flags, len(words))
        files = [ROOT / words[words.index("--configfile") + 1]] if "--configfile" in words else []
        parse_config(merge_config(shipped, read_overrides(files, words[start:end])))
