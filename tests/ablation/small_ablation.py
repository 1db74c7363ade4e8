"""An ablation small enough to run in a test, with a table of every way to say one."""

from functools import partial
from typing import Any

from ablation import plainly
from planted import PLANTED

from runs import SMALL

# Tables of variants, and how many rows each has here.
TABLES = {
    "models": 4,
    "modalities": 4,
    "statistics": 3,
    "indices": 3,
    "scenarios": 4,
    "scalings": 2,
    "mixed_encoders": 2,
}
SHIPPED = ("encoders_per_input", "other_encoders", "pretraining")
MEMBERS = ["lightgbm", "xgboost", "pwee_v2_standard"]
FOLDS, RESAMPLES, PATCHES = 2, 100, 150
SUBSETS = {
    "optical": {"change": {"inputs": ["rgbn", "indices"]}},
    "optical_again": {"change": {"inputs": ["red", "green", "blue", "nir", "indices"]}},
    "everything": {"change": {"inputs": ["rgbn", "sar", "sar_diff", "indices"]}},
    "a_mean": {"members": ["indices.without_ndvi", "xgboost"]},
}
ABLATION: dict[str, Any] = {
    **SMALL,
    "data": {"simulation": {"train": PATCHES, "test": 20, "size": 32, "positives": 0.3}},
    "indices": dict.fromkeys(("nir_blue", "blue_green", "blue_red", "green_red")),
    "encoders": {**SMALL["encoders"], "edgenext_small": {"timm": "test_vit3", "pretrained": False}},
    "models": {
        **SMALL["models"],
        "lightgbm": {**SMALL["models"]["lightgbm"], "statistics": ["mean", "std"]},
        "pwee_v2_standard": {
            "features": 8,
            "training": {
                "epochs": 1,
                "batch_size": 16,
                "image_size": 32,
                "tta": "none",
                "precision": "float32",
            },
        },
    },
    "ablation": {
        "bootstrap": RESAMPLES,
        "shufflings": 2,
        "tables": {
            **dict.fromkeys(SHIPPED),
            "modalities": {"title": PLANTED, "each": None, "variants": SUBSETS},
            "scalings": {
                "base": "pwee_v2_standard",
                "variants": {
                    **dict.fromkeys(("standard", "robust_1_99", "robust_5_95")),
                    "fitted_on_fold": {"change": {"encoder": "enc3"}},
                },
            },
            "mixed_encoders": {
                "variants": {
                    "maxvit": None,
                    "mixed": {"change": {"encoder": ["enc3", "edgenext_small"]}},
                }
            },
        },
    },
}

oof_of = partial(plainly.oof_of, folds=FOLDS)
