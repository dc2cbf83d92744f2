"""Figures of learning: one module each, measured by `python -m benchmarks.learning`."""
