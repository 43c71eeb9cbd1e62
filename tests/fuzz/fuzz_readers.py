"""`python -m tests.fuzz.fuzz_readers [--seconds N] [READER...]`: throw damaged files at the readers for a while.

A reader may give a table or raise one of our errors, in one line; anything else is a defect, shown with the file as
base64, and belongs into `tests/hostile.py` or `tests/onnx_files.py` once it is mended. Half the time goes to
hypothesis, half to atheris (https://github.com/google/atheris), which follows the branches that a file takes, where it
is installed.
"""

import argparse
import base64
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import FunctionType
from typing import BinaryIO

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from modelhub.errors import ModelHubError
from modelhub.headers import TensorTable
from modelhub.headers._zip import read_members
from modelhub.headers.gguf import read_gguf_table
from modelhub.headers.onnx import read_onnx
from modelhub.headers.pickles import read_pickle_table
from modelhub.headers.safetensors import read_safetensors
from modelhub.identify import identify
from tests import hostile
from tests.onnx_files import HOSTILE_NETS, net

Reader = Callable[[Path, BinaryIO], object]

_READERS: dict[str, tuple[Reader, tuple[str, ...]]] = {
    "safetensors": (read_safetensors, (".safetensors",)),
    "pickle": (read_pickle_table, (".pt", ".ckpt")),
    "zip": (read_members, (".ckpt",)),
    "gguf": (read_gguf_table, (".gguf",)),
    "onnx": (read_onnx, ()),
}
"""Each with the endings of the hostile files that it begins from."""
_LARGEST_SEED = 20_000
"""Bytes."""
_BATCH = 300


def attempt(name: str, content: bytes) -> None:
    """Read it; whatever is no error of ours goes on."""
    reader, _ = _READERS[name]
    try:
        table = reader(Path("fuzzed"), BytesIO(content))
        if isinstance(table, TensorTable):
            identify(table, name="fuzzed")
    except ModelHubError as error:
        if not error.message.isprintable() or "fuzzed" not in error.message:
            raise ValueError(f"no clear line: {error.message!r}") from error


def seeds(name: str) -> list[bytes]:
    """Small files to begin from: the hostile ones, and one that is well."""
    if name == "onnx":
        return [net(), *(each for make in HOSTILE_NETS.values() if len(each := make()) <= _LARGEST_SEED)]
    _, endings = _READERS[name]
    good = {"safetensors": hostile._table({"a": hostile._row(0, 4)}, bytes(4)), "gguf": hostile.gguf()}
    found = [
        content() for file, content in hostile.HOSTILE.items() if file.endswith(endings) and "header-of" not in file
    ]
    return [good.get(name, hostile.checkpoint(hostile.GOOD)), *(each for each in found if len(each) <= _LARGEST_SEED)]


def by_hypothesis(name: str, seconds: float) -> int:
    """Edit the seeds at random until the time is over; returns the number of files."""
    edits = st.lists(st.tuples(st.integers(0, _LARGEST_SEED), st.integers(0, 4), st.binary(max_size=9)), max_size=6)
    files, ends = 0, time.monotonic() + seconds

    def one(content: bytes, changes: list[tuple[int, int, bytes]]) -> None:
        nonlocal files
        files += 1
        attempt(name, _edited(content, changes))

    quiet = settings(max_examples=_BATCH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    test = quiet(given(st.sampled_from(seeds(name)), edits)(one))
    batch = 0
    while time.monotonic() < ends:
        seed(batch := batch + 1)(test)()
    return files


def _edited(content: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """Each change puts bytes at a place, instead of as many that stood there."""
    made = bytearray(content)
    for place, removed, put in changes:
        at = place % (len(made) + 1)
        made[at : at + removed] = put
    return bytes(made)


def by_atheris(name: str, seconds: int) -> None:
    """Does not return: atheris ends the process, with an error when it found a defect."""
    import atheris

    for part in _parts():
        atheris.instrument_func(part)
    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(seeds(name)):
            (Path(folder) / str(number)).write_bytes(content)
        bounds = [f"-max_total_time={seconds}", f"-max_len={_LARGEST_SEED}", "-timeout=10", "-rss_limit_mb=1000"]
        atheris.Setup(
            [sys.argv[0], *bounds, "-print_final_stats=1", f"-artifact_prefix={folder}/", folder],
            lambda content: _told(name, content),
        )
        atheris.Fuzz()


def _parts() -> list[FunctionType]:
    """The functions and methods that read headers: the branches to follow."""
    modules = [module for name, module in sys.modules.items() if name.startswith("modelhub.headers")]
    spaces = [*modules, *(each for module in modules for each in vars(module).values() if isinstance(each, type))]
    found = [each for space in spaces for each in vars(space).values() if isinstance(each, FunctionType)]
    return [each for each in found if each.__module__.startswith("modelhub.headers")]


def _told(name: str, content: bytes) -> None:
    try:
        attempt(name, content)
    except Exception:
        sys.stderr.write(f"a defect of {name}: {base64.b64encode(content).decode()}\n")
        raise


def main(arguments: list[str]) -> int:
    """The exit code is 1 when a defect was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("readers", nargs="*", choices=[*_READERS, []], metavar="READER")
    parser.add_argument("--seconds", type=int, default=60, help="for each reader")
    parser.add_argument("--atheris", action="store_true", help="in this process, for one reader")
    given = parser.parse_args(arguments)
    if given.atheris:
        by_atheris(given.readers[0], given.seconds)
    return max(_fuzzed(name, given.seconds // 2) for name in given.readers or _READERS)


def _fuzzed(name: str, seconds: int) -> int:
    files = by_hypothesis(name, seconds)
    sys.stdout.write(f"{name}: {files:,} files by hypothesis, no defect\n")
    if importlib.util.find_spec("atheris") is None:
        sys.stdout.write(f"{name}: atheris is not installed, so that half was left out: pip install atheris\n")
        return 0
    command = [sys.executable, "-m", "tests.fuzz.fuzz_readers", "--atheris", "--seconds", str(seconds), name]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.stdout.write(ended.stderr[-4000:] + f"\n{name}: atheris found a defect\n")
        return 1
    runs = next((line.split()[-1] for line in ended.stderr.splitlines() if "number_of_executed_units" in line), "?")
    sys.stdout.write(f"{name}: {runs} files by atheris, no defect\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
