"""Every figure of the HTTP server beside its aim. Needs `wrk` (apt-get install wrk).

Run: python -m benchmarks.serving [name ...] [--out FILE]. Prints one line a figure and writes JSON with machine and
versions; figures of modules that were not run stay as they were. `soak` takes ten minutes.
"""

from benchmarks.running import main

if __name__ == "__main__":
    main("serving", __doc__)
