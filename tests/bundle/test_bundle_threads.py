"""What decides the last bits of a network's answer is its training's, not the machine's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import landslip
from landslip.models import predict_network
from landslip.models.device import processor_threads
from made_bundle import FOLDS, THREADS, Made

SEEN: list[int] = []


@pytest.fixture(autouse=True)
def _note_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note how many threads PyTorch has while a network answers."""
    SEEN.clear()
    answer: Callable[..., Any] = predict_network.predict_logits

    def noting(*args: Any, **how: Any) -> Any:
        SEEN.append(torch.get_num_threads())
        return answer(*args, **how)

    monkeypatch.setattr(predict_network, "predict_logits", noting)


@pytest.mark.parametrize("threads", [1, 2, 6, None])
def test_networks_answer_with_the_threads_of_their_training_whatever_the_machine_gives(
    threads: int | None, made: Made
):
    with processor_threads(3):
        landslip.load(made.bundle, threads=threads).predict(made.arrays()[:2])
        assert torch.get_num_threads() == 3
    assert sorted(SEEN) == sorted(list(THREADS.values()) * FOLDS)


def test_answers_are_the_same_bits_with_any_number_of_threads(made: Made):
    patches = made.arrays()[:6]
    found = [landslip.load(made.bundle, threads=n).predict(patches) for n in (1, 4)]
    for answer in found[1:]:
        assert np.array_equal(answer.members, found[0].members)
        assert np.array_equal(answer.probability, found[0].probability)
