"""The libraries of gradient boosted trees: a new one is a line here, a module and its settings."""

from landslip.io.files import InputError
from landslip.models import lightgbm_trees, xgboost_trees
from landslip.models.boosting import Evaluate, Library, Task, Trees
from landslip.models.settings import TreeSettings

# Kind of a model in the config -> what trains and loads it.
LIBRARIES: dict[str, Library] = {"lightgbm": lightgbm_trees, "xgboost": xgboost_trees}


def fit(task: Task[TreeSettings], evaluate: Evaluate) -> Trees:
    """Train with the library that the settings name; see `Library.fit`."""
    settings = task.settings
    if task.gpu and not settings.on_gpu:
        raise InputError(f"{settings.kind} trains on the CPU here; ask for no GPU (gpu=0)")
    return LIBRARIES[settings.kind].fit(task, evaluate)
