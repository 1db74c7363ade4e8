"""Rasters that stand there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rasterio.io import MemoryFile

from landslip.io.files import atomic_path


@contextmanager
def raster_in_memory(target: Path, *, durable: bool = True) -> Iterator[MemoryFile]:
    """Give a file in memory that becomes `target` when the block ends well.

    What GDAL has not yet written it writes when a file is closed, and rasterio passes over what
    goes wrong then: on a full disk the file would be cut short, and nobody would be told.
    Compressed, a map takes little room.

    Parameters
    ----------
    target, durable
        As of `landslip.io.files.atomic_path`.
    """
    with MemoryFile(ext=target.suffix) as memory:
        yield memory
        with atomic_path(target, durable=durable) as temporary:
            temporary.write_bytes(memory.getbuffer())
