"""Kernels: sweeps over exposure networks at the speed of memory."""
