"""Two small scenes that were looked at, for all tests of the inventory stage."""

import pytest
from inventory.made_scenes import Looked, look, make_scene


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Looked]:
    """Two scenes; nobody may change them."""
    folder = tmp_path_factory.mktemp("scenes")
    return [
        look(make_scene(folder / f"scene{number}", number), folder / f"looked{number}")
        for number in range(2)
    ]
