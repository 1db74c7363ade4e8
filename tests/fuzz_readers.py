"""Read files that were changed at random, with every reader of bytes from outside.

    make fuzz READER="csv npy" COUNT=20000 SEED=1

A mutant is read or refused with a message that names it. What ends the process, takes more than
5 s of the processor or 1 GiB, raises anything else or reads what is not there is a finding, and the
exit status 1. Ctrl-C ends a reader's run with what was tried so far.

A mutant follows from reader, seed and number: `--only NUMBER --keep FOLDER` writes one down.
"""

import argparse
import json
import sys
from pathlib import Path

from fuzz import readers_data, readers_models, readers_scene
from fuzz.harness import Outcome, Reader, fuzz

READERS: dict[str, Reader] = {
    **readers_data.READERS, **readers_models.READERS, **readers_scene.READERS,
}  # fmt: skip


def told(outcome: Outcome) -> str:
    """One line a reader, and one below it a finding."""
    counts = outcome.counts
    lines = [
        f"{outcome.reader:<11} seed {outcome.seed}: {outcome.mutants:>6} mutants, "
        f"{counts['refused']:>6} refused, {counts['read']:>6} read, "
        f"{len(outcome.findings)} findings, {outcome.seconds:.0f} s"
    ]
    lines += [
        f"    {found.kind} x {found.count}, first {found.first}: {found.what}"
        for found in outcome.findings.values()
    ]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Command line; gives the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = ", ".join(READERS)
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"all, or some of {known}")
    parser.add_argument("--count", type=int, default=20_000, help="mutants; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="this mutant alone")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="for a mutant of each finding")
    parser.add_argument("--json", type=Path, metavar="FILE", help="for the counts")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.readers) - set(READERS))
    if unknown:
        parser.error(f"no reader {', '.join(unknown)}; there are {known}")
    numbers = range(given.count) if given.only is None else range(given.only, given.only + 1)
    outcomes = []
    for name in given.readers or READERS:
        outcome = fuzz(name, READERS[name], numbers=numbers, seed=given.seed, keep=given.keep)
        print(told(outcome), flush=True)
        outcomes.append(outcome)
    if given.json is not None:
        given.json.write_text(
            json.dumps({each.reader: {**each.counts, "told": told(each)} for each in outcomes})
        )
    return int(any(outcome.findings for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
