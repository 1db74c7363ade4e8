"""Data stage: manifest, audit, store and folds."""
