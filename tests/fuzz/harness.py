"""Reads mutants in forked processes under limits, so that a crash is seen and has a number."""

import faulthandler
import importlib
import json
import os
import resource
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from fuzz.mutations import mutant

from landslip.io.files import InputError
from project import ROOT

SECONDS = 5.0
"""Of the processor, that a mutant may take."""
MEMORY = 1 << 30
"""Bytes that reading one may take."""
# More than that, where a mutant is refused for want of it: would it be taken?
_MORE = 8 << 30
# Without a sign of life a process waits for something: no load makes a file take so long.
_STANDSTILL = 300.0
_BATCH = 500
_BROKEN = 99  # exit status
_REFUSED, _READ = "refused", "read"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """What takes bytes from outside."""

    make: Callable[[Path], Sequence[Path]]
    """Writes files that are right into a folder; mutants stand in their places, one at a time."""
    read: Callable[[Path], object]
    """Reads one as the program does; what raises no InputError by its name was read."""
    form: str = ""
    """See `fuzz.mutations.mutant`; of what is empty, the file's suffix tells."""
    imports: Sequence[str] = ()
    """Modules that it imports late: here they are imported once for all forks."""


@dataclass
class Finding:
    """A way in which mutants were neither read nor refused."""

    kind: str
    """exception, unnamed, memory, signal or standstill."""
    what: str
    count: int = 0
    first: int = 0
    """Number of a mutant that does it."""


@dataclass
class Outcome:
    """What came of the mutants of one reader."""

    reader: str
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    seconds: float = 0.0
    """Of the processor."""

    @property
    def mutants(self) -> int:
        """How many were tried."""
        return self.counts.total() + sum(found.count for found in self.findings.values())

    def add(self, number: int, kind: str, what: str) -> None:
        """Count a mutant that was neither read nor refused."""
        found = self.findings.setdefault((kind, what), Finding(kind, what, first=number))
        found.count += 1


def environment() -> dict[str, str]:
    """Of a process that forks: libraries start no threads, which would not live on in a fork."""
    single = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    return {**os.environ, **dict.fromkeys(single, "1"), "PYTHONPATH": path}


def fuzz(
    name: str, reader: Reader, *, numbers: range, seed: int, keep: Path | None = None
) -> Outcome:
    """Read mutants.

    Parameters
    ----------
    name, reader
        With the seed and a mutant's number, the name decides what the mutant is.
    numbers, seed
        Of the mutants.
    keep
        Folder for a mutant of each finding.
    """
    outcome = Outcome(name, seed)
    # In memory where there is such a place: files of megabytes are written thousands of times.
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=shared) as scratch:
        folder = Path(scratch) / "files"
        folder.mkdir()
        mutants = Mutants(name, reader.form, _made(reader, folder), seed)
        at = numbers.start
        # Whoever has no more time gets what was tried so far.
        with suppress(KeyboardInterrupt):
            while at < numbers.stop:
                batch = range(at, min(at + _BATCH, numbers.stop))
                at += _run_batch(reader, mutants, batch, folder, outcome)
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            for found in outcome.findings.values():
                path, data = mutants.of(found.first)
                (keep / f"{name}-{seed}-{found.first}{path.suffix}").write_bytes(data)
    return outcome


def _made(reader: Reader, folder: Path) -> list[Path]:
    """Have a fork make what is right: threads that libraries start there end with it."""
    for module in reader.imports:
        importlib.import_module(module)
    named = folder.parent / "made"
    child = os.fork()
    if child == 0:
        status = 1
        try:
            named.write_text("\n".join(map(str, reader.make(folder))), encoding="utf-8")
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("what is right could not be made")
    return [Path(name) for name in named.read_text(encoding="utf-8").splitlines()]


class Mutants:
    """All mutants of some files, by number."""

    def __init__(self, name: str, form: str, paths: Sequence[Path], seed: int) -> None:
        self.name, self.form, self.seed = name, form, seed
        self.paths = list(paths)
        self.originals = [path.read_bytes() for path in paths]

    def of(self, number: int) -> tuple[Path, bytes]:
        """Place and content of a mutant."""
        random = Random(f"{self.name} {self.seed} {number}")
        which = random.randrange(len(self.paths))
        form = self.form or self.paths[which].suffix[1:]
        return self.paths[which], mutant(self.originals[which], form, random, self.originals)


def _run_batch(
    reader: Reader, mutants: Mutants, numbers: range, folder: Path, outcome: Outcome
) -> int:
    """Read mutants in a process of its own; gives how many it got to before it ended."""
    said, trace = folder.parent / "said", folder.parent / "trace"
    for path in (said, trace):
        path.unlink(missing_ok=True)
        path.touch()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = os.fork()
    if child == 0:
        status = _BROKEN
        try:
            _read_all(reader, mutants, numbers, said, trace)
            status = 0
        except BaseException as error:
            trace.write_text("".join(traceback.format_exception(error)))
        finally:
            os._exit(status)
    try:
        status = _wait(child, said)
    except KeyboardInterrupt:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    outcome.seconds += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if os.waitstatus_to_exitcode(status) == _BROKEN:
        raise RuntimeError(f"the program that reads mutants is wrong:\n{trace.read_text()}")
    lines = said.read_text(encoding="utf-8").splitlines()
    for number, line in zip(numbers, lines, strict=False):
        if line in (_REFUSED, _READ):
            outcome.counts[line] += 1
        else:
            outcome.add(number, *json.loads(line))
    if len(lines) < len(numbers):
        number = numbers[len(lines)]
        ended = os.waitstatus_to_exitcode(status)
        kind = "standstill" if ended == -signal.SIGKILL else "signal"
        outcome.add(number, kind, f"{_name_of(ended)}: {_where(trace)}")
        # What the dead left: the next process begins with the files as they were made.
        for path, data in zip(mutants.paths, mutants.originals, strict=True):
            path.write_bytes(data)
    return min(len(lines) + 1, len(numbers))


def _wait(child: int, said: Path) -> int:
    """Wait for a process, and end it where nothing more comes from it."""
    size, since = -1, time.monotonic()
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        now = said.stat().st_size
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > _STANDSTILL:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)


def _read_all(reader: Reader, mutants: Mutants, numbers: range, said: Path, trace: Path) -> None:
    """The work of a forked process: it says one line for every mutant."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    stacks = trace.open("w")
    faulthandler.enable(stacks)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    faulthandler.register(signal.SIGPROF, stacks, all_threads=False, chain=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for path in mutants.paths:
        reader.read(path)  # what is right is read
    most = _peak() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most + _MORE))
    with said.open("w", encoding="utf-8", buffering=1) as lines:
        for number in numbers:
            path, data = mutants.of(number)
            path.write_bytes(data)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            line = _attempt(reader, path)
            signal.setitimer(signal.ITIMER_PROF, 0)
            lines.write(line + "\n")
            path.write_bytes(mutants.originals[mutants.paths.index(path)])


def _attempt(reader: Reader, path: Path) -> str:
    try:
        reader.read(path)
    except InputError as error:
        if _wants_memory(error) and _takes_memory(reader, path):
            return json.dumps(("memory", _describe(error)))
        return _REFUSED if path.name in str(error) else json.dumps(("unnamed", _describe(error)))
    except BaseException as error:
        kind = "memory" if _wants_memory(error) else "exception"
        return json.dumps((kind, _describe(error)))
    return _READ


def _wants_memory(error: BaseException | None) -> bool:
    """Whether reading asked for more than it may: elsewhere it might get it."""
    while error is not None:
        said = str(error).lower()
        if isinstance(error, MemoryError) or "bad_alloc" in said or "out of memory" in said:
            return True
        error = error.__cause__ or error.__context__
    return False


def _takes_memory(reader: Reader, path: Path) -> bool:
    """Whether a mutant that was refused for want of memory takes more where there is more.

    Libraries say the same of what a file asks for in vain, as no machine has so much.
    """
    most, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    try:
        reader.read(path)
    except Exception:
        return _peak() > most
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    return True


def _peak() -> int:
    """The largest size of this process so far, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmPeak:")) * 1024


def _describe(error: BaseException) -> str:
    """Type and place of an error: what is the same for one mistake."""
    frames = traceback.extract_tb(error.__traceback__)
    cause = error.__cause__ or error
    ours = [f for f in frames if "/landslip/" in f.filename and "/io/" not in f.filename]
    last = (ours or frames)[-1]
    where = f"{last.filename.rpartition('/landslip/')[2]}:{last.lineno}"
    return f"{type(cause).__name__} at {where}"


def _name_of(ended: int) -> str:
    if ended == -signal.SIGPROF:
        return f"more than {SECONDS:g} s of processor time"
    return signal.Signals(-ended).name if ended < 0 else f"exit status {ended}"


def _where(trace: Path) -> str:
    """The innermost line of this program in a stack, else the innermost of all."""
    lines = [line.strip() for line in trace.read_text(errors="replace").splitlines()]
    frames = [line for line in lines if line.startswith("File")]
    own = [line for line in frames if "/landslip/" in line]
    return (own or frames or ["no stack"])[0]
