"""Which GPU is mine: exclusive leases of one machine's GPUs, taken before torch is imported."""

import fcntl
import logging
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from landslip.files import InputError

log = logging.getLogger(__name__)

# Open lock files of this process: the kernel frees them when it ends, however it ends.
_leases: list[IO[str]] = []


def lease_device(
    gpus: int, *, slots_per_device: int = 1, wait: bool = True, folder: Path | None = None
) -> str:
    """Take `gpus` GPUs for this process, or the CPU when none is asked for.

    Sets CUDA_VISIBLE_DEVICES, which counts only before torch is imported.

    Parameters
    ----------
    gpus
        What the job's `resources.gpu` says.
    slots_per_device
        Jobs that may share one GPU on purpose.
    wait
        Wait for a GPU that other jobs of this user hold; else refuse.
    folder
        Of the lock files; on this machine's own disk, never on a network file system.

    Returns
    -------
    `cpu` or `cuda`

    Raises
    ------
    InputError
        Fewer GPUs are visible than asked for, or all are held and `wait` is off.

    Notes
    -----
    Snakemake gives no GPU ids to local jobs. SLURM does: inside a SLURM job that was given GPUs,
    they are used as they are.
    """
    if gpus == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return "cpu"
    visible = visible_gpus()
    if len(visible) < gpus:
        raise InputError(
            f"the job asks for {gpus} GPU, this machine shows {len(visible)}; "
            "run on the CPU with --resources gpu=0, or on a machine with a GPU"
        )
    if "SLURM_JOB_ID" in os.environ and "CUDA_VISIBLE_DEVICES" in os.environ:
        return "cuda"
    folder = folder or Path(tempfile.gettempdir()) / f"landslip-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    waiting = False
    while True:
        taken = _try_lease(visible, gpus, slots_per_device, folder)
        if taken is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken)
            log.info("GPU %s leased", ",".join(taken))
            return "cuda"
        if not wait:
            raise InputError(f"all {len(visible)} GPUs are held by other jobs; wait for them")
        if not waiting:
            log.info("waiting for a GPU: all %d are held by other jobs", len(visible))
            waiting = True
        time.sleep(0.5)


def visible_gpus() -> list[str]:
    """Ids of the GPUs this process may use: CUDA_VISIBLE_DEVICES, else what nvidia-smi lists."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is not None:
        return [part.strip() for part in listed.split(",") if part.strip() not in ("", "-1")]
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    answer = subprocess.run(
        [program, "--query-gpu=index", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.split() if answer.returncode == 0 else []


def _try_lease(gpus: Sequence[str], wanted: int, slots: int, folder: Path) -> list[str] | None:
    """Lock one slot of `wanted` different GPUs, or none at all."""
    held: list[tuple[str, IO[str]]] = []
    for slot in range(slots):
        for gpu in gpus:
            if len(held) == wanted or gpu in (name for name, _ in held):
                continue
            lock: IO[str] = (folder / f"gpu{gpu}.slot{slot}.lock").open("a")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            held.append((gpu, lock))
    if len(held) < wanted:
        for _, lock in held:
            lock.close()
        return None
    _leases.extend(lock for _, lock in held)
    return [name for name, _ in held]
