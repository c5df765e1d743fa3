"""Records the answers of the mock, or compares them with those that are stored.

python -m tests.corpus record
python -m tests.corpus replay [WORLD ...] [--shown 5]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.corpus.comparing import differences
from tests.corpus.steps import STORED, load, names, save


def main() -> int:
    """Run the command; 1 when an answer differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("what", choices=("record", "replay", "worlds"))
    parser.add_argument("worlds", nargs="*", help="names of worlds to replay; all unless given")
    parser.add_argument("--file", type=Path, default=STORED)
    parser.add_argument("--shown", type=int, default=5, help="differences that are printed in full")
    options = parser.parse_args()
    if options.what == "record":
        return _record(options.file)
    if options.what == "worlds":
        print("\n".join(names(options.file)))
        return 0
    return _replay(options.file, options.worlds or names(options.file), options.shown)


def _record(path: Path) -> int:
    from tests.corpus.scenes import recordings  # the requests are made when recording alone

    found = list(recordings())
    save(found, path)
    count = sum(len(recorded.steps) for recorded in found)
    print(f"{count} requests to {len(found)} worlds recorded: {path.name}, {path.stat().st_size} bytes")
    return 0


def _replay(path: Path, worlds: list[str], shown: int) -> int:
    began = time.process_time()
    stored = load(path)
    count = differing = 0
    for world in worlds:
        found = list(differences(stored[world]))
        for difference in found[: max(0, shown - differing)]:
            print(f"{difference}\n")
        count += len(stored[world].steps)
        differing += len(found)
        if found:
            print(f"world {world!r}: {len(found)} of {len(stored[world].steps)} differ\n")
    print(
        f"{count} requests to {len(worlds)} worlds: {differing} answers differ; {time.process_time() - began:.1f} s CPU"
    )
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
