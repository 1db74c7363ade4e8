"""What keeps data from being used: said in a screenful whatever there is, and listed in a file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from landslip.io.files import InputError, remove, write_text

# Names shown where there are no more, examples where there are, reasons of one problem.
_SHOWN, _EXAMPLES, _REASONS = 10, 3, 4
# Lines of a message, and characters of a name in it.
_LINES, _WIDTH = 36, 80


@dataclass(frozen=True)
class Item:
    """One thing that a problem is about: a patch, an id, a row."""

    name: str
    reason: str = ""
    """What is wrong with it, in words that others of its kind share."""
    note: str = ""
    """What holds for it alone."""

    def __str__(self) -> str:
        return printable(f"{self.name} ({self.note})" if self.note else self.name)


@dataclass(frozen=True)
class Problem:
    """What is wrong, what to do about it, and all that it is about."""

    text: str
    items: Sequence[Item] = ()

    @property
    def reasons(self) -> dict[str, list[Item]]:
        """Items by their reason, the commonest first."""
        found: dict[str, list[Item]] = {}
        for item in self.items:
            found.setdefault(item.reason, []).append(item)
        return dict(sorted(found.items(), key=lambda pair: -len(pair[1])))

    @property
    def abridged(self) -> bool:
        """Whether a message shows only a part of it."""
        reasons = self.reasons
        return len(reasons) > _REASONS or any(len(items) > _SHOWN for items in reasons.values())

    @property
    def lines(self) -> list[str]:
        """The text, and a line for each reason with the first that it holds for."""
        reasons = self.reasons
        if len(reasons) == 1:
            ((reason, items),) = reasons.items()
            text = f"{self.text}: {printable(reason)}" if reason else self.text
            return [text, f"  {shortened([str(item) for item in items])}"]
        lines = [self.text]
        for reason, items in list(reasons.items())[:_REASONS]:
            names = shortened([str(item) for item in items])
            lines.append(f"  {len(items):,}: {printable(reason) or 'no likely cause'}: {names}")
        if rest := list(reasons.values())[_REASONS:]:
            lines.append(f"  {sum(map(len, rest)):,}: {len(rest):,} other reasons")
        return lines


def refusal(problems: Sequence[Problem], listed: Path) -> InputError:
    """One error for all problems, equal reasons once.

    Parameters
    ----------
    problems
        At least one.
    listed
        Text file for everything that the message has no room for; written only if there is such.
    """
    lines = [
        f"{'  ' if number else '- '}{line}"
        for problem in problems
        for number, line in enumerate(problem.lines)
    ]
    more = len(lines) - _LINES
    if more > 0:
        lines = [*lines[:_LINES], f"- and {more:,} more lines"]
    if more > 0 or any(problem.abridged for problem in problems):
        write_text(listed, "\n".join(_whole(problems)) + "\n")
        lines.append(f"The whole list: {listed}")
    return InputError("the data cannot be used as it is:\n" + "\n".join(lines))


def forget_refusal(listed: Path) -> None:
    """Remove the list of an earlier refusal, which is no longer true."""
    remove(listed)


def shortened(names: Sequence[str], limit: int = _SHOWN) -> str:
    """The names; or, of more than `limit`, three of them and how many more there are."""
    if len(names) > limit:
        shown = ", ".join(_clipped(name) for name in names[:_EXAMPLES])
        return f"{shown} and {len(names) - _EXAMPLES:,} more"
    return ", ".join(_clipped(name) for name in names)


def printable(text: str) -> str:
    """A text whose bytes that are no UTF-8, and other marks that none can see, are spelt out."""
    if text.isprintable():
        return text
    return "".join(
        mark
        if mark.isprintable()
        else f"\\x{ord(mark) - 0xDC00:02x}"
        if 0xDC80 <= ord(mark) <= 0xDCFF
        else mark.encode("unicode_escape").decode()
        for mark in text
    )


def is_text(name: str) -> bool:
    """Whether a name of the file system can stand in a table: it is UTF-8."""
    return not any("\ud800" <= mark <= "\udfff" for mark in name)


def _clipped(name: str) -> str:
    text = printable(name)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _whole(problems: Iterable[Problem]) -> Iterable[str]:
    for problem in problems:
        yield problem.text
        for reason, items in problem.reasons.items():
            for item in items:
                yield f"\t{item}\t{printable(reason)}" if reason else f"\t{item}"
