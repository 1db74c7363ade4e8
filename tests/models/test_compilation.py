"""Compiled encoders compute what plain ones do, and keep their machine code."""

import shutil
from pathlib import Path

import pytest
import torch

from landslip.models.compilation import compile_encoders
from landslip.models.network import Architecture, MultiEncoder


@pytest.fixture
def model() -> MultiEncoder:
    torch.manual_seed(0)
    plan = Architecture(
        channels=(("red",),), encoders=("test_vit2",), head="single", features=8, image_size=32
    )
    return MultiEncoder(plan, shift=[0.0], scale=[1.0]).eval()


def test_nothing_is_compiled_unless_asked(model: MultiEncoder, tmp_path: Path) -> None:
    compile_encoders(model, "none", tmp_path)
    model(torch.randn(2, 1, 16, 16))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs g++ for a processor")
def test_compiled_encoders_give_the_same_logits_under_the_same_names(
    model: MultiEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    names = list(model.state_dict())
    patches = torch.randn(3, 1, 16, 16)
    with torch.inference_mode():
        expected = model(patches)
        compile_encoders(model, "default", tmp_path / "compiled")
        torch.testing.assert_close(model(patches), expected, rtol=1e-4, atol=1e-4)
    assert list(model.state_dict()) == names
    assert any(path.is_file() for path in (tmp_path / "compiled").rglob("*"))
