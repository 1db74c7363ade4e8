"""Compiled encoders compute what plain ones do, and keep their machine code."""

import os
import shutil
from pathlib import Path

import pytest
import torch

from landslip.io.files import InputError
from landslip.models.compilation import compile_encoders
from landslip.models.network import Architecture, MultiEncoder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where landslip keeps what it compiled, in a cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    return tmp_path / "cache" / "landslip"


@pytest.fixture
def model() -> MultiEncoder:
    torch.manual_seed(0)
    plan = Architecture(
        channels=(("red",),), encoders=("test_vit2",), head="single", features=8, image_size=32
    )
    return MultiEncoder(plan, shift=[0.0], scale=[1.0]).eval()


def test_nothing_is_compiled_unless_asked(model: MultiEncoder, cache: Path) -> None:
    compile_encoders(model, "none")
    model(torch.randn(2, 1, 16, 16))
    assert not cache.exists()


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs g++ for a processor")
def test_compiled_encoders_give_the_same_logits_under_the_same_names(
    model: MultiEncoder, cache: Path
) -> None:
    names = list(model.state_dict())
    patches = torch.randn(3, 1, 16, 16)
    with torch.inference_mode():
        expected = model(patches)
        compile_encoders(model, "default")
        torch.testing.assert_close(model(patches), expected, rtol=1e-4, atol=1e-4)
    assert list(model.state_dict()) == names
    assert any(path.is_file() for path in (cache / "compiled").rglob("*"))
    assert cache.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("planted", ["link", "open", "of another"])
def test_a_cache_that_others_can_write_to_is_refused(
    planted: str, model: MultiEncoder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir(mode=0o700, parents=True)
    folder = cache / "compiled"
    if planted == "link":
        folder.symlink_to(cache.parent)
    else:
        folder.mkdir(mode=0o700)
        if planted == "open":
            folder.chmod(0o770)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(InputError, match=rf"{cache}.*delete it"):
        compile_encoders(model, "default")
