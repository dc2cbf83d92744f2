"""Figures of the risk engine: one module each, measured by `python -m benchmarks.risk`."""
