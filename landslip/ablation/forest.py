"""A forest plot as rows of a table: each difference with its interval, on one scale, as SVG."""

import math
from collections.abc import Iterable

from landslip.report.style import BLUE, FAINT, INK, QUIET, VERMILION

WIDTH, HEIGHT = 260, 22
_MARGIN = 8
# Half of each, a tick, has few digits.
_STEPS = (0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)


def reach(bounds: Iterable[float]) -> float:
    """Half the width of a scale around 0 that holds all bounds, as a round number."""
    most = max((abs(bound) for bound in bounds if math.isfinite(bound)), default=0.0)
    return next((step for step in _STEPS if step >= most), _STEPS[-1])


def mark(difference: float, low: float, high: float, *, scale: float, noise: bool) -> str:
    """Draw one row as SVG: a hollow grey circle if the interval contains zero, else a triangle.

    Parameters
    ----------
    difference, low, high
        With low <= high; drawn as far as the scale goes.
    scale
        As `reach` gives it.
    noise
        The interval contains zero.
    """
    middle = HEIGHT / 2
    x, left, right = (_x_position(value, scale) for value in (difference, low, high))
    colour = QUIET if noise else BLUE if difference > 0 else VERMILION
    dash = ' stroke-dasharray="3 2"' if noise else ""
    if noise:
        point = (
            f'<circle cx="{x:.1f}" cy="{middle}" r="4" fill="#fff" stroke="{colour}"'
            ' stroke-width="1.5"/>'
        )
    else:
        tip = -5 if difference > 0 else 5
        point = (
            f'<path d="M{x - 5:.1f} {middle - tip:.1f}h10L{x:.1f} {middle + tip:.1f}z"'
            f' fill="{colour}"/>'
        )
    sign = "not significant" if noise else "higher" if difference > 0 else "lower"
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{difference:+.4f}, {low:+.4f} to {high:+.4f}, {sign}">'
        f'<path d="M{_x_position(0, scale):.1f} 0V{HEIGHT}" stroke="{INK}" stroke-width="1"/>'
        f'<path d="M{left:.1f} {middle}H{right:.1f}" stroke="{colour}" stroke-width="2"{dash}/>'
        f"{point}</svg>"
    )


def axis(scale: float) -> str:
    """SVG of the scale below the rows."""
    ticks = [-scale, -scale / 2, 0.0, scale / 2, scale]
    anchors = ["start", "middle", "middle", "middle", "end"]
    lines = "".join(
        f'<path d="M{_x_position(tick, scale):.1f} 0v5" stroke="{QUIET}"/>'
        f'<text x="{_x_position(tick, scale):.1f}" y="16" text-anchor="{anchor}" font-size="10.5"'
        f' fill="{QUIET}">{f"{tick:+g}".replace("-", "−") if tick else 0}</text>'
        for tick, anchor in zip(ticks, anchors, strict=True)
    )
    return (
        f'<svg width="{WIDTH}" height="20" viewBox="0 0 {WIDTH} 20" aria-hidden="true">'
        f'<path d="M{_MARGIN} 0H{WIDTH - _MARGIN}" stroke="{FAINT}"/>{lines}</svg>'
    )


def _x_position(value: float, scale: float) -> float:
    """Where a value stands, in pixels from the left."""
    inside = min(max(value if math.isfinite(value) else 0.0, -scale), scale)
    return _MARGIN + (inside + scale) / (2 * scale) * (WIDTH - 2 * _MARGIN)
