"""Numbers as a person reads them."""

import math
from collections.abc import Sequence

_NO_VALUE = "–"


def count(number: int) -> str:
    """7147 -> '7,147'."""
    return f"{number:,}"


def score(value: float | None, digits: int = 3) -> str:
    """0.92261 -> '0.923'; a dash where there is none."""
    return _NO_VALUE if value is None or math.isnan(value) else f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 4) -> str:
    """-0.0123 -> '−0.0123', with a true minus and always a sign."""
    if value is None or math.isnan(value):
        return _NO_VALUE
    return f"{value:+.{digits}f}".replace("-", "−")


def interval(bounds: Sequence[float] | None) -> str:
    """[0.9101, 0.9349] -> '0.910 to 0.935'; empty where there is none."""
    return "" if bounds is None else f"{score(bounds[0])} to {score(bounds[1])}"


def percent(share: float) -> str:
    """0.1756 -> '17.6 %'."""
    return f"{100 * share:.1f} %"


def of_hundred(share: float) -> str:
    """0.897 -> '90 of 100'; what is not quite none or all is not called so."""
    if 0 < share < 0.005:
        return "fewer than 1 of 100"
    if 0.995 <= share < 1:
        return "more than 99 of 100"
    return f"{round(100 * share)} of 100"


def duration(seconds: float) -> str:
    """83 -> '1 min 23 s'; 7530 -> '2 h 06 min'; 0.24 -> '0.2 s'."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min"


def memory(megabytes: float) -> str:
    """812.4 -> '812 MB'; 1623 -> '1.6 GB'; in steps of 1,000."""
    if megabytes < 999.5:
        return f"{megabytes:.0f} MB"
    return f"{megabytes / 1000:.1f} GB"


def listing(words: Sequence[str]) -> str:
    """['a', 'b', 'c'] -> 'a, b and c'."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def shorten(name: str, letters: int) -> str:
    """A user's name for something, as a figure has room for it: 'ID_0123456789' -> 'ID_01…6789'.

    What is not printable, such as a line's end or a mark that turns the direction of the text, is
    shown as a question mark.
    """
    text = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name
    )
    if len(text) <= letters:
        return text
    end = (letters - 1) // 2
    return f"{text[: letters - 1 - end]}…{text[len(text) - end :]}"


def readable(name: str) -> str:
    """'train_network' -> 'train network'."""
    return name.replace("_", " ")


# What templates of pages call them.
FILTERS = {
    each.__name__: each for each in (count, score, signed, percent, duration, memory, readable)
}
