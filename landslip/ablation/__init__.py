"""Ablation stage: variants of the models, their tables, what members and inputs bring."""
