"""Which GPU is mine: exclusive leases of one machine's GPUs, taken before torch is imported."""

import fcntl
import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from landslip.io.files import InputError

log = logging.getLogger(__name__)

# Open lock files of this process: the kernel frees them when it ends, however it ends.
_leases: list[int] = []


def lease_device(
    gpus: int, *, slots_per_device: int = 1, wait: bool = True, folder: Path | None = None
) -> str:
    """Take `gpus` GPUs for this process, or the CPU when none is asked for.

    Sets CUDA_VISIBLE_DEVICES, which counts only before torch is imported, and, unless the user has
    set it, OMP_WAIT_POLICY: threads that have nothing to do give their core away. Those that spin
    hold up the very threads that they wait for wherever other programs want the cores too.

    Parameters
    ----------
    gpus
        What the job's `resources.gpu` says.
    slots_per_device
        Jobs that may share one GPU on purpose.
    wait
        Wait for a GPU that other jobs of this user hold; else refuse.
    folder
        Of the lock files; on this machine's own disk, never on a network file system. Nobody but
        this user may enter it: who could, could hold every GPU, or have a link opened as a lock.

    Returns
    -------
    `cpu` or `cuda`

    Raises
    ------
    InputError
        Fewer GPUs are visible than asked for, or all are held and `wait` is off; `folder` is a
        link, another user's or open to others, or it cannot hold locks.

    Notes
    -----
    Snakemake gives no GPU ids to local jobs. SLURM does: inside a SLURM job that was given GPUs,
    they are used as they are.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
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
    waiting = False
    while True:
        with _own_folder(folder) as opened:
            taken = _try_lease(visible, gpus, slots_per_device, folder, opened)
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


@contextmanager
def _own_folder(folder: Path) -> Iterator[int]:
    """Make a folder that is this user's alone, or refuse the one that stands there.

    Yields
    ------
    int
        Its descriptor. Files opened relative to it are in it, whatever its name leads to later.
    """
    wanted = "a folder that only this user can enter (mode 0700), for the leases of GPUs"
    mend = "remove it, or set TMPDIR to a folder of your own on this machine"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        what = "is a link" if folder.is_symlink() else f"cannot be used ({error.strerror})"
        raise InputError(f"{folder} {what}, expected {wanted}; {mend}") from error
    try:
        status = os.fstat(opened)
        if status.st_uid != os.getuid() or status.st_mode & 0o077:
            raise InputError(
                f"{folder} is of user {status.st_uid} with mode {status.st_mode & 0o7777:04o}, "
                f"expected {wanted}; {mend}"
            )
        yield opened
    finally:
        os.close(opened)


def _try_lease(
    gpus: Sequence[str], wanted: int, slots: int, folder: Path, opened: int
) -> list[str] | None:
    """Lock one slot of `wanted` different GPUs, or none at all."""
    held: list[tuple[str, int]] = []
    try:
        for slot in range(slots):
            for gpu in gpus:
                if len(held) == wanted or gpu in (name for name, _ in held):
                    continue
                # Ids of parts of a GPU may hold slashes.
                lock = f"gpu{re.sub('[^A-Za-z0-9-]', '_', gpu)}.slot{slot}.lock"
                descriptor = _lock(folder / lock, opened)
                if descriptor is not None:
                    held.append((gpu, descriptor))
        taken = [name for name, _ in held] if len(held) == wanted else None
        if taken is not None:
            _leases.extend(descriptor for _, descriptor in held)
            held.clear()
        return taken
    finally:
        for _, descriptor in held:
            os.close(descriptor)


def _lock(path: Path, folder: int) -> int | None:
    """Open and lock a file in the open folder; None where another process holds it."""
    descriptor = -1
    try:
        descriptor = os.open(
            path.name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600, dir_fd=folder
        )
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        if descriptor >= 0:
            os.close(descriptor)
        raise InputError(
            f"{path} cannot be locked ({error.strerror}), so no GPU can be leased; remove it, or "
            "set TMPDIR to a folder of your own on a disk of this machine"
        ) from error
    return descriptor
