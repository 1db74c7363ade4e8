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
    from matplotlib import rc_context as rc_context
    from matplotlib import rcParamsDefault as rcParamsDefault
    from matplotlib.axes import Axes as Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvasAgg
    from matplotlib.figure import Figure as Figure
    from matplotlib.patches import FancyArrowPatch as FancyArrowPatch
    from matplotlib.patches import Patch as Patch
    from matplotlib.path import Path as _Path
    from matplotlib.ticker import FixedLocator as FixedLocator
    from matplotlib.ticker import FuncFormatter as FuncFormatter
    from matplotlib.ticker import LogLocator as LogLocator
    from matplotlib.ticker import MaxNLocator as MaxNLocator
    from matplotlib.ticker import NullFormatter as NullFormatter
    from matplotlib.ticker import NullLocator as NullLocator
    from matplotlib.ticker import StrMethodFormatter as StrMethodFormatter
    from matplotlib.ticker import SymmetricalLogLocator as SymmetricalLogLocator

Curve = _Path
