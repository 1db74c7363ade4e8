"""What a patch folder holds, cheap enough to look at whenever the workflow starts."""

import os
from pathlib import Path

from landslip.files import InputError, text_digest


def listing_digest(folder: Path) -> str:
    """Digest of the names and sizes of a folder's patches.

    New, missing or resized patches change it; touched ones, and ones replaced by files of the same
    size, do not.

    Raises
    ------
    InputError
        There is no such folder.
    """
    try:
        with os.scandir(folder) as entries:
            sizes = sorted(
                f"{entry.name} {entry.stat(follow_symlinks=False).st_size}"
                for entry in entries
                if entry.name.endswith(".npy")
            )
    except OSError as error:
        raise InputError(
            f"cannot list the patch folder {folder} ({error.strerror}); "
            "set data.folder, or data.train.patches and data.test.patches"
        ) from error
    return text_digest(*sizes)
