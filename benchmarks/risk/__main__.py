"""Every figure of the speed of risk beside its aim and its peers.

Run: python -m benchmarks.risk [name ...] [--out FILE]. Prints one line a figure and writes JSON with machine and
versions; figures of modules that were not run stay as they were. `scaling` also draws docs/risk/scaling.png.
"""

from benchmarks.running import main

if __name__ == "__main__":
    main("risk", __doc__)
