"""landslip: which patches of Sentinel-1/2 imagery show a landslide."""
