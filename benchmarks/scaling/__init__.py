"""Figures of scale: one module each, measured by `python -m benchmarks.scaling`."""
