"""Encoders that do not take their images are known before any job, at no cost the second time."""

from pathlib import Path

import pytest

from landslip.io.files import InputError
from landslip.models import encoder_check
from landslip.models.encoder_check import Use, refused_encoders


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the answers are kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "landslip" / "encoders"


def use(timm: str, size: int) -> Use:
    return Use(timm=timm, channels=4, image_size=size)


def test_an_encoder_that_does_not_take_the_size_is_named_with_sizes_that_it_takes(
    cache: Path, monkeypatch: pytest.MonkeyPatch
):
    uses = {
        "models.a": [use("test_vit2", 64), use("test_efficientnet", 50)],
        "models.b": [use("coatnet_pico_rw_224", 50)],
        # It looks up numbers beyond its table's end, which a device without numbers does not see.
        "models.c": [use("mvitv2_tiny", 50)],
    }
    refused = refused_encoders(uses)
    assert list(refused) == ["models.b", "models.c"]
    assert "mvitv2_tiny does not take 4 channels of 50 x 50 pixels" in refused["models.c"][0]
    (line,) = refused["models.b"]
    assert "coatnet_pico_rw_224 does not take 4 channels of 50 x 50 pixels" in line
    sizes = [int(size) for size in line.rsplit(": ", 1)[1].split(", ")]
    assert 224 in sizes
    taken = {f"models.{size}": [use("coatnet_pico_rw_224", size)] for size in sizes}
    assert refused_encoders(taken) == {}

    def start(*_: object) -> None:
        raise AssertionError("what was answered before is asked again")

    monkeypatch.setattr(encoder_check, "_run", start)
    assert refused_encoders(uses) == refused


def test_a_damaged_answer_is_asked_for_again(cache: Path):
    refused_encoders({"models.a": [use("test_vit2", 64)]})
    (kept,) = cache.iterdir()
    kept.write_text("{")
    assert refused_encoders({"models.a": [use("test_vit2", 64)]}) == {}
    assert kept.read_text() != "{"


def test_a_program_that_fails_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(encoder_check, "_PROGRAM", "landslip.no_such_program")
    with pytest.raises(InputError, match="cannot try the encoders"):
        refused_encoders({"models.a": [use("test_vit2", 64)]})
