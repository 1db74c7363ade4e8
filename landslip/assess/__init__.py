"""Accuracy of a map from a probability sample of its cells that a person interprets."""
