"""Layers of GeoPackages and other vector files, also where the file system knows no locks.

SQLite locks a GeoPackage that it opens, and calls it locked where that cannot be done. GDAL's own
access to files does without. It is what is written with, for nobody else knows the name yet. Files
of users are read with it only where the usual way fails: one that QGIS has open keeps its last
changes in a file beside it, which the usual way alone heeds.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pyogrio
import shapely
from numpy.typing import NDArray

from landslip.io.files import readable_damage, texts_digest
from landslip.io.offline import OFFLINE, what_json_asks_for
from landslip.io.ordinary_files import open_ordinary

UNREADABLE = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FeatureError,
    UnicodeDecodeError,  # a name that is no UTF-8
)
_WITHOUT_LOCKS = "SQLITE_USE_OGR_VFS"
# First bytes of a GeoPackage, FlatGeobuf, Shapefile and GeoJSON. GDAL reads many more forms, of
# which some name other files and addresses on the net that it would open.
_FORMS = (b"SQLite format 3\0", b"fgb\x03", b"\0\0\x27\x0a", b"{")


class VectorLayer(NamedTuple):
    """One layer of a vector file."""

    crs: str | None
    """As WKT or EPSG:n."""
    geometry: list[Any]
    """Of shapely, None where a row has none; empty where the layer has none."""
    columns: dict[str, NDArray[Any]]


def read_features(path: Path, **options: Any) -> tuple[Any, ...]:
    """As `pyogrio.raw.read`, which raises one of `UNREADABLE`; of the forms that are known."""
    _check_form(path)
    with _configured(OFFLINE):
        try:
            return tuple(pyogrio.raw.read(path, **options))
        except UNREADABLE:
            with _without_locks():
                return tuple(pyogrio.raw.read(path, **options))


def list_layers(path: Path) -> Any:
    """As `pyogrio.list_layers`, which raises one of `UNREADABLE`; of the forms that are known."""
    _check_form(path)
    with _configured(OFFLINE):
        try:
            return pyogrio.list_layers(path)
        except UNREADABLE:
            with _without_locks():
                return pyogrio.list_layers(path)


def _check_form(path: Path) -> None:
    with open_ordinary(path) as file:
        head = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    # A filled sample may come back as a CSV; one that begins so is XML under its name.
    table = path.suffix.lower() == ".csv" and not head.startswith(b"<")
    if table and head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise pyogrio.errors.DataSourceError("it is in UTF-16; save it as CSV in UTF-8")
    if not (table or head.startswith(_FORMS)):
        raise pyogrio.errors.DataSourceError(
            "it begins like no GeoPackage, Shapefile, GeoJSON or FlatGeobuf"
        )
    if head.startswith(b"{") and (asked := what_json_asks_for(path)):
        raise pyogrio.errors.DataSourceError(f"it {asked}")


@contextmanager
def readable_vectors(path: Path) -> Iterator[None]:
    """Say which vector file cannot be read, whatever GDAL, GEOS or PROJ make of it.

    Raises
    ------
    InputError
        In place of what the block raises because of the file's content.
    """
    remedy = "is it a vector file? Get it again, or export it again as GeoPackage"
    with readable_damage(path, remedy, also=(shapely.errors.ShapelyError,)):
        yield


def layer_names(path: Path) -> list[str]:
    """Layers of a vector file.

    Raises
    ------
    InputError
        It cannot be read.
    """
    with readable_vectors(path):
        return [str(name) for name in list_layers(path)[:, 0]]


def read_vectors(
    path: Path, layer: str | None = None, *, with_geometry: bool = True
) -> VectorLayer:
    """Read a layer, or the first.

    Raises
    ------
    InputError
        It cannot be read.
    """
    with readable_vectors(path):
        meta, _, geometry, fields = read_features(path, layer=layer, read_geometry=with_geometry)
        shapes = [] if geometry is None else list(shapely.from_wkb(geometry))
        columns = dict(zip((str(name) for name in meta["fields"]), fields, strict=True))
        return VectorLayer(meta["crs"], shapes, columns)


def layers_digest(path: Path, *, but: Collection[str] = ()) -> str:
    """SHA-256 of what the layers of a file hold, however its bytes hold it.

    Programs such as QGIS change the bytes of a GeoPackage that they merely open.

    Parameters
    ----------
    path
        The file.
    but
        Columns that may change.

    Raises
    ------
    InputError
        It cannot be read.
    """
    parts = []
    with readable_vectors(path):
        kinds = dict(list_layers(path))
    for name in sorted(name for name, kind in kinds.items() if kind is not None):
        layer = read_vectors(path, name)
        kept = {key: values for key, values in layer.columns.items() if key not in but}
        parts += [name, *(f"{key} {kept[key].tolist()!r}" for key in sorted(kept))]
        parts += ["" if shape is None else str(shape.wkb_hex) for shape in layer.geometry]
    return texts_digest(parts)


def write_features(path: Path, **options: Any) -> None:
    """As `pyogrio.raw.write`; `path` is nobody else's yet."""
    with _without_locks():
        pyogrio.raw.write(path, **options)


@contextmanager
def database(path: Path) -> Iterator[sqlite3.Connection]:
    """A GeoPackage that is nobody else's yet, as SQLite has it; what is done is kept at the end."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?nolock=1", uri=True)) as base, base:
            yield base
    except sqlite3.Error as error:
        # Where there is no room `atomic_path` says so of any error of the system.
        raise OSError(f"{path}: {error}") from error


def _without_locks() -> AbstractContextManager[None]:
    return _configured({_WITHOUT_LOCKS: True})


@contextmanager
def _configured(options: Mapping[str, Any]) -> Iterator[None]:
    pyogrio.set_gdal_config_options(options)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(options))
