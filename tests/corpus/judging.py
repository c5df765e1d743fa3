"""Records what the judge sends and says, or compares it with what is stored.

python -m tests.corpus.judging gates record|compare [mock|mutant|variant ...]
python -m tests.corpus.judging verdicts record|compare [NAME ...] [--rounds 2]
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from tests.corpus import gates, verdicts


def main() -> int:
    """Run the command; 1 when something differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.judging", description=__doc__)
    parser.add_argument("subject", choices=("gates", "verdicts"))
    parser.add_argument("what", choices=("record", "compare"))
    parser.add_argument("names", nargs="*", help="servers to compare; all unless given")
    parser.add_argument("--rounds", type=int, default=2, help="how often everything is recorded")
    parser.add_argument(
        "--tries", type=int, default=4, help="how often a gate is compared until it is the same"
    )
    parser.add_argument("--file", type=Path, help="another file, or folder of gates, than the stored one")
    options = parser.parse_args()
    tell = partial(print, flush=True)
    if options.subject == "verdicts":
        path = options.file or verdicts.STORED
        if options.what == "record":
            return verdicts.record(path, options.rounds, tell)
        return verdicts.compare(path, options.names, tell)
    folder = options.file or gates.STORED
    if options.what == "record":
        return gates.record(folder, options.rounds, tell)
    return gates.compare(folder, options.names, options.tries, tell)


if __name__ == "__main__":
    sys.exit(main())
