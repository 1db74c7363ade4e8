"""Names that a config may use for heads and timm encoders, known without importing torch."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

Head = Literal["single", "V2", "V3", "V3c", "V4"]
# Head -> number of inputs it reads.
HEADS: dict[Head, int] = {"single": 1, "V2": 2, "V3": 3, "V3c": 3, "V4": 4}


@cache
def timm_architectures() -> frozenset[str]:
    """Architectures that the installed timm registers, read from its source.

    Importing timm takes torch and seconds; parsing the config must not. Empty where timm is not
    installed (a login node), where the check is left to the job that fetches the weights.
    """
    spec = find_spec("timm")
    if spec is None or spec.origin is None:
        return frozenset()
    registered = re.compile(r"^@register_model\s+def (\w+)\(", re.MULTILINE)
    sources = Path(spec.origin).parent.joinpath("models").glob("*.py")
    return frozenset(
        name for source in sources for name in registered.findall(source.read_text("utf-8"))
    )
