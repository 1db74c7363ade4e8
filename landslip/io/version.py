"""The version of landslip, where it is installed; it also runs from its source."""

from importlib.metadata import PackageNotFoundError, version


def landslip_version() -> str:
    """The version of the installed package; `source` where none is."""
    try:
        return version("landslip")
    except PackageNotFoundError:
        return "source"
