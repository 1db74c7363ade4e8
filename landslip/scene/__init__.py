"""Whole scenes: products, grids, the interpreter of inputs, tiles, and the map with its zones."""
