"""Takes over what was measured beside the committed record, and makes plots and tables of it.

Run: python -m benchmarks.record FOLDER. Each JSON of the folder goes into the file of its name in benchmarks/results,
module by module (of scale.json stage by stage), so what was not measured again stays. Plots and the tables of
docs/scale.md are made anew then.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.pages import main as tables
from benchmarks.plots import OUT, write
from benchmarks.running import HERE, measured

RESULTS = HERE / "results"
Found = dict[str, Any]


def merged(old: Found, new: Found, depth: int) -> Found:
    """Both, the new in place of the old; `depth` levels of keys are gone into."""
    if not depth:
        return new
    return old | {key: merged(old.get(key, {}), own, depth - 1) for key, own in new.items()}


def take(name: str, new: Found) -> None:
    """Figures into the file of a room."""
    file = RESULTS / f"{name}.json"
    old = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    both = merged(old, new, 2 if name == "scale" else 1)
    file.write_text(json.dumps(both, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    print(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where `make bench` left its figures")
    given = parser.parse_args()
    files = sorted(given.folder.glob("*.json"))
    if not files:
        parser.error(f"{given.folder} holds no figures; run `make bench` first")
    for file in files:
        take(file.stem, json.loads(file.read_text(encoding="utf-8")))
    take("scaling", {"stages": measured("scaling", "stages")})  # figures of the record that now holds
    write(OUT)
    tables()


if __name__ == "__main__":
    main()
