"""`python -m tests.fuzz.fuzz_recipes [--seconds N] [--first SEED]`: train recipes by lot on tiny models for a while.

A recipe may be refused by one of our errors before its first step, with a mend and by `--dry-run` alike; otherwise it
keeps every promise of `tests/trainers/promises.py`. What does not is a defect, shown with its seed and its entries.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from itertools import count
from pathlib import Path

import inference  # noqa: F401  # before anything imports transformers: mends a torchvision of another torch
from tests.trainers.any_recipe import Ground, drawn
from tests.trainers.promises import check_promises


def main(arguments: list[str]) -> int:
    """The exit code is 1 when a defect was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="to begin with")
    parser.add_argument("--only", action="store_true", help="try no other one")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground.laid(Path(folder) / "ground")
        found, ends = Counter[str](), time.monotonic() + given.seconds
        for seed in [given.first] if given.only else count(given.first):
            found[_tried(seed, ground, Path(folder) / "trial")] += 1
            if time.monotonic() > ends:
                break
    defects = found["defect"]
    sys.stdout.write(f"recipes: {found.total()} by lot, {found['refused']} refused, {defects or 'no'} defects\n")
    return int(bool(defects))


def _tried(seed: int, ground: Ground, place: Path) -> str:
    """``well``, ``refused`` or ``defect``."""
    fields = drawn(seed, ground)
    try:
        return "refused" if check_promises(fields, ground, place, seed) else "well"
    except Exception:
        traceback.print_exc(limit=-4)
        sys.stderr.write(f"a defect of seed {seed}: {json.dumps(fields)}\n")
        return "defect"
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
