"""Layers of GeoPackages and other vector files, also where the file system knows no locks.

SQLite locks a GeoPackage that it opens, and calls it locked where that cannot be done. GDAL's own
access to files does without. It is what is written with, for nobody else knows the name yet. Files
of users are read with it only where the usual way fails: one that QGIS has open keeps its last
changes in a file beside it, which the usual way alone heeds.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyogrio

UNREADABLE = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FeatureError,
)
_WITHOUT_LOCKS = "SQLITE_USE_OGR_VFS"


def read_features(path: Path, **options: Any) -> tuple[Any, ...]:
    """As `pyogrio.raw.read`, which raises one of `UNREADABLE`."""
    try:
        return tuple(pyogrio.raw.read(path, **options))
    except UNREADABLE:
        with _without_locks():
            return tuple(pyogrio.raw.read(path, **options))


def list_layers(path: Path) -> Any:
    """As `pyogrio.list_layers`, which raises one of `UNREADABLE`."""
    try:
        return pyogrio.list_layers(path)
    except UNREADABLE:
        with _without_locks():
            return pyogrio.list_layers(path)


def write_features(path: Path, **options: Any) -> None:
    """As `pyogrio.raw.write`; `path` is nobody else's yet."""
    with _without_locks():
        pyogrio.raw.write(path, **options)


@contextmanager
def database(path: Path) -> Iterator[sqlite3.Connection]:
    """A GeoPackage that is nobody else's yet, as SQLite has it; what is done is kept at the end."""
    with closing(sqlite3.connect(f"file:{quote(str(path))}?nolock=1", uri=True)) as base, base:
        yield base


@contextmanager
def _without_locks() -> Iterator[None]:
    pyogrio.set_gdal_config_options({_WITHOUT_LOCKS: True})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({_WITHOUT_LOCKS: None})
