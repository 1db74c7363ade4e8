"""Ensemble stage: gather, average, threshold and metrics."""
