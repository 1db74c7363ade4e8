"""Pretrained weights of encoders: fetched once, with a digest, before any job needs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from typing_extensions import TypedDict

from landslip.data.foreign import HEAD, foreign_content
from landslip.io.files import InputError, copy_file, file_digest, write_json
from landslip.io.ordinary_files import not_ordinary, open_ordinary
from landslip.io.records import Digest, read_record


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """Weights that an encoder starts from."""

    path: Path
    """Safetensors."""
    bands: tuple[str, ...] | None = None
    """Names of what their first layer reads, where channels are to be mapped by name."""


class Description(TypedDict):
    """What the JSON beside fetched weights says, as far as trainings read it."""

    sha256: Digest
    bands: list[str] | None


def fetch_weights(
    name: str,
    *,
    local: Path | None,
    target: Path,
    description: Path,
    sha256: str | None = None,
    bands: Sequence[str] | None = None,
) -> None:
    """Put the weights of timm model `name` at `target`, if they fit it.

    Parameters
    ----------
    name
        timm's name, architecture.tag.
    local
        A safetensors file with timm's parameter names; None: timm's place on the Hugging Face hub.
    target
        Safetensors file to write.
    description
        JSON that says where they came from and holds their digest.
    sha256
        Digest they must have, where the user knows it.
    bands
        What their first layer reads, where it is not timm's three channels.

    Raises
    ------
    InputError
        The file is not safetensors, the hub is out of reach or lacks the model, the digest
        differs, or a tensor of the encoder is not in it. Nothing is written; a random start is
        never a substitute.
    """
    source = Path(local) if local is not None else _download(name)
    _check_safetensors(source)
    digest = file_digest(source)
    if sha256 is not None and digest != sha256:
        raise InputError(
            f"weights of {name} from {source}: expected SHA-256 {sha256}, got {digest}"
        )
    # Late: a digest that differs, or a hub out of reach, is known without torch.
    from landslip.models.encoder import check_fit

    named = tuple(bands) if bands is not None else None
    fit = check_fit(name, Pretrained(path=source, bands=named))
    copy_file(source, target)
    origin = str(local) if local is not None else f"timm's hub: {name}"
    write_json(
        description,
        {
            "timm": name,
            "source": origin,
            "sha256": digest,
            "bands": None if named is None else list(named),
            "tensors": fit.tensors,
            "loaded": fit.loaded,
            "prefix": fit.prefix,
        },
    )


def verify_weights(path: Path) -> Pretrained:
    """Compare fetched weights with the digest beside them.

    Returns
    -------
    Pretrained
        The weights, with the bands that were named when they were fetched.

    Raises
    ------
    InputError
        They are absent or damaged.
    """
    description = path.with_suffix(".json")
    if not path.is_file() or not description.is_file():
        raise InputError(
            f"{path} is missing; fetch it on a machine with internet: snakemake {path}"
        )
    record = read_record(description, Description)
    if file_digest(path) != record["sha256"]:
        raise InputError(f"{path} is damaged (SHA-256 differs from {description.name}); delete it")
    bands = record.get("bands")
    return Pretrained(path=path, bands=None if bands is None else tuple(bands))


def _download(name: str) -> Path:
    """Weights in the hub's cache. Imported late: the hub's client is not needed for local files."""
    import timm
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if not timm.is_model_pretrained(name):
        close = ", ".join(timm.list_pretrained(f"{name.split('.')[0]}.*")) or "none"
        raise InputError(f"timm has no pretrained weights {name!r}; of this architecture: {close}")
    config = timm.get_pretrained_cfg(name)
    repository = config.hf_hub_id if config is not None else None
    if repository is None:
        raise InputError(f"the weights of {name} are not on the hub; name a local file instead")
    try:
        return Path(hf_hub_download(repository, "model.safetensors"))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise InputError(
            f"cannot download the weights of {name} ({type(error).__name__}). On a machine "
            f"without internet, name a local safetensors file in encoders.<name>.weights, or set "
            f"pretrained: false for a random start"
        ) from error


def _check_safetensors(path: Path) -> None:
    if not path.exists():
        raise InputError(f"weights file {path} does not exist")
    if kinds := not_ordinary([path]):
        raise InputError(f"weights file {path} is {kinds[str(path)]}")
    try:
        with safe_open(path, framework="numpy") as opened:
            names = list(opened.keys())
    except SafetensorError as error:
        with open_ordinary(path) as file:
            what = foreign_content(file.read(HEAD))
        reason = f"but {what}" if what else f"({error})"
        raise InputError(f"{path} is not a safetensors file {reason}") from error
    if not names:
        raise InputError(f"{path} holds no weights")
