"""Features stage: statistics for the trees, scaling for the networks."""
