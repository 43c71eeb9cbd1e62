"""`python -m benchmarks [NAME...]`: run all benchmarks, or those named."""

import sys

import benchmarks
from modelhub.registry import members


def main(wanted: list[str]) -> int:
    """Print a line a figure; the exit code is 1 when a goal was missed."""
    missed = 0
    for module in members(benchmarks):
        name = module.__name__.rpartition(".")[2]
        if wanted and name not in wanted:
            continue
        print(f"# {(module.__doc__ or '').splitlines()[0]}", flush=True)
        for figure in module.measure():
            print(figure, flush=True)
            missed += "MISSED" in figure.verdict
        print(flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
