"""The parts of Matplotlib that figures are made of, imported without the user's settings.

Whatever draws takes them from here. A notebook names its own backend in the environment of all
that it starts, and Matplotlib cannot be imported where no such backend is installed.
"""

import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from importlib.util import find_spec
from pathlib import Path


@contextmanager
def _own_settings() -> Iterator[None]:
    """Let Matplotlib find the settings that it comes with, before those of any user.

    It looks first in the working folder, and reads MPLBACKEND last of all.
    """
    package = find_spec("matplotlib")
    assert package is not None and package.origin is not None
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        with chdir(Path(package.origin).parent / "mpl-data"):
            yield
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend


with _own_settings():
    from matplotlib import rc_context, rcParamsDefault
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch
    from matplotlib.path import Path as Curve
    from matplotlib.ticker import (
        FixedLocator,
        FuncFormatter,
        LogLocator,
        MaxNLocator,
        NullFormatter,
        NullLocator,
        StrMethodFormatter,
        SymmetricalLogLocator,
    )

__all__ = [
    "Axes",
    "Curve",
    "FancyArrowPatch",
    "FancyBboxPatch",
    "Figure",
    "FigureCanvasAgg",
    "FixedLocator",
    "FuncFormatter",
    "LogLocator",
    "MaxNLocator",
    "NullFormatter",
    "NullLocator",
    "Patch",
    "StrMethodFormatter",
    "SymmetricalLogLocator",
    "rcParamsDefault",
    "rc_context",
]
