"""Models stage: networks and trees, their training and prediction."""
