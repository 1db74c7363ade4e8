"""Names that a config may use for heads and timm encoders, known without importing torch."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from landslip.io.nearest import nearest

ENSEMBLE = "ensemble"  # its name beside the members' in config, files and figures
Head = Literal["single", "V2", "V3", "V3c", "V4"]
# Head -> number of inputs it reads.
HEADS: dict[Head, int] = {"single": 1, "V2": 2, "V3": 3, "V3c": 3, "V4": 4}

# Of a network: beyond them a number is a slip, and would take memory that no machine has.
MOST_FEATURES = 16_384
MOST_CHANNELS = 1_024
IMAGE_SIZES = range(16, 4_097)


def explain_timm_name(name: str) -> str | None:
    """Say why a name is not one of timm's registry, or None where it is.

    Notes
    -----
    timm itself takes `hf-hub:` and `local-dir:` too and then builds what a file there says, so
    that a name alone could fetch from the internet or read a folder. Such names are refused here.
    A tag decides how an encoder is built, so it must be one of timm's also where the weights are
    a local file. Of architectures whose tags timm makes in a loop, any tag passes.
    """
    if not re.fullmatch(r"\w+(\.\w+)?", name, re.ASCII):
        return (
            f"{name!r} is not a name of timm's registry (architecture.tag). Names such as "
            "hf-hub:... and folders are not followed: name timm's architecture here, and the "
            "safetensors file in `weights`"
        )
    known = _timm_tags()
    architecture, _, tag = name.partition(".")
    if known and architecture not in known:
        return f"unknown timm architecture {architecture!r}{nearest(architecture, sorted(known))}"
    tags = known.get(architecture, frozenset())
    if tag and tags and tag not in tags:
        listed = {f"{architecture}.{each}" for each in tags}
        return (
            f"timm knows {architecture!r}, but not with the tag {tag!r}"
            f"{nearest(name, sorted(listed))}. With weights of your own give the architecture "
            f"alone: {architecture}"
        )
    return None


@cache
def _timm_tags() -> Mapping[str, frozenset[str]]:
    """Architectures that the installed timm registers, each with its tags, read from its source.

    Importing timm takes torch and seconds; parsing the config must not. Empty where timm is not
    installed (a login node), where the check is left to the job that fetches the weights.
    """
    spec = find_spec("timm")
    if spec is None or spec.origin is None:
        return {}
    registered = re.compile(r"^@register_model\s+def (\w+)\(", re.MULTILINE)
    tagged = re.compile(r"""^\s*['"](\w+)\.(\w+)['"]\s*:""", re.MULTILINE)
    tags: dict[str, set[str]] = {}
    architectures: set[str] = set()
    for source in Path(spec.origin).parent.joinpath("models").glob("*.py"):
        text = source.read_text("utf-8")
        architectures.update(registered.findall(text))
        for architecture, tag in tagged.findall(text):
            tags.setdefault(architecture, set()).add(tag)
    return {name: frozenset(tags.get(name, ())) for name in architectures}
