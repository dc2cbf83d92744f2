"""Every figure of scale beside its aim.

Run: python -m benchmarks.scaling [name ...] [--out FILE]. Prints one line a figure and writes JSON with machine and
versions; figures of modules that were not run stay as they were.
"""

from benchmarks.running import main

if __name__ == "__main__":
    main("scaling", __doc__)
