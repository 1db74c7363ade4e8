"""Write the conda environments from requirements.lock; `make lock` does it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What PyTorch's CUDA build needs and its CPU build does not.
CUDA = re.compile(r"^(nvidia-|cuda-|triton)")


def pins() -> list[str]:
    """Requirements of the lock file with their markers, without hashes."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [line.removesuffix(" \\") for line in lines if re.match(r"[a-z0-9]", line)]


def environment(name: str, index: str | None) -> str:
    """A conda environment file; `index` is where PyTorch's build comes from."""
    options = [f"--extra-index-url {index}"] if index else []
    chosen = [pin for pin in pins() if index is None or not CUDA.match(pin)]
    quoted = [f'      - "{line}"\n' for line in options + chosen]
    return (
        f"# conda env create -f envs/{name}.yaml\n# Made by envs/from_lock.py.\n"
        f"name: landslip-{name}\n"
        "channels: [conda-forge]\n"
        "dependencies:\n"
        "  - python=3.11\n"
        "  - pip\n"
        "  - pip:\n" + "".join(quoted)
    )


def environments() -> dict[str, str]:
    """File name -> content."""
    # PyTorch's build for CPUs is 4 GB smaller; it stands on PyTorch's own index only.
    return {
        "gpu.yaml": environment("gpu", None),
        "cpu.yaml": environment("cpu", "https://download.pytorch.org/whl/cpu"),
    }


if __name__ == "__main__":
    for file, content in environments().items():
        (ROOT / "envs" / file).write_text(content, encoding="utf-8")
