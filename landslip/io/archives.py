"""Files put into a .zip whose bytes depend on nothing but theirs."""

import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from landslip.io.files import atomic_path

_BLOCK = 1 << 20


def pack(files: Mapping[str, Path], target: Path) -> None:
    """Put files into a .zip, atomically; the same content gives the same bytes.

    Parameters
    ----------
    files
        Name in the archive -> file, in the archive's order.
    target
        The .zip.
    """
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, path in files.items():
            entry = zipfile.ZipInfo(name)  # of no time
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            # Weights hardly shrink and are most of a bundle.
            shrinks = not name.endswith(".safetensors")
            entry.compress_type = zipfile.ZIP_DEFLATED if shrinks else zipfile.ZIP_STORED
            with path.open("rb") as source, archive.open(entry, "w") as packed:
                shutil.copyfileobj(source, packed, _BLOCK)
