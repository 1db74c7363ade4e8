"""Simulated landslide patches: terrain, cover, slides, optical and radar sensors, files."""
