"""How long a scan takes: of 100,000 files that did not change, and of new ones."""

import os
import struct
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks._figure import Figure
from modelhub.catalog import Catalog, tables
from modelhub.identify import VERSION
from modelhub.jobs import drain
from modelhub.upkeep.scan import ScanReport, scan
from modelhub.upkeep.scan.walk import walk
from modelhub.workspace import Workspace

_FOLDERS, _EACH = 100, 1_000
_NEW = 500
_TURNS = 5
_HEADER = b'{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}'
_FACTS = '{"schema": 1, "kind": "unknown", "conflicts": [], "evidence": {}}'


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, Catalog.create(Workspace(Path(folder) / "home")) as catalog:
        root = Path(folder) / "models"
        for number in range(_FOLDERS):
            _write(root / f"{number:03}", number)
        _register_all(catalog, root)
        looks, rescans = zip(*((_looking(root), _rescanning(catalog, root)) for _ in range(_TURNS)), strict=True)
        _write(root / "new", _FOLDERS, count=_NEW)
        begun = time.process_time()
        report = _scanned(catalog, root)
        seconds = time.process_time() - begun
    yield Figure("rescan of 100,000 unchanged files, processor time", min(rescans), "s", at_most=1)
    yield Figure("the same / only listing the folders and files", min(rescans) / min(looks), "x")
    yield Figure("new files, registered in a second of processor time", len(report.new) / seconds, "files/s")


def _looking(root: Path) -> float:
    """Processor seconds for what no scan can do without."""
    begun = time.process_time()
    for folder in os.scandir(root):
        for entry in os.scandir(folder.path):
            entry.stat()
    return time.process_time() - begun


def _rescanning(catalog: Catalog, root: Path) -> float:
    begun = time.process_time()
    report = _scanned(catalog, root)
    taken = time.process_time() - begun
    if report.unchanged != _FOLDERS * _EACH:
        raise RuntimeError(f"only {report.unchanged:,} files were unchanged")
    return taken


def _scanned(catalog: Catalog, root: Path) -> ScanReport:
    return drain(scan(catalog, [root]))


def _register_all(catalog: Catalog, root: Path) -> None:
    """As a first scan would, in seconds."""
    rows = drain(walk([str(root)])).rows.values()
    artifacts: Sequence[dict[str, object]] = [
        {"id": number, "name": f"m{number}", "kind": "unknown", "facts": _FACTS, "identified_by": VERSION}
        for number, _ in enumerate(rows, start=1)
    ]
    places = [
        {"artifact_id": number, "path": path, "size": size, "mtime_ns": mtime_ns, "file_key": key}
        for number, (path, size, mtime_ns, key, *_) in enumerate(rows, start=1)
    ]
    with catalog._database.writing() as connection:
        added = tables.artifact.insert().values(added_at="2026-01-01T00:00:00+00:00", note="")
        connection.execute(added, artifacts)
        connection.execute(tables.location.insert().values(state="present", sample="", sidecars=""), places)


def _write(folder: Path, number: int, *, count: int = _EACH) -> None:
    """Real files of a hundred bytes, no two alike."""
    folder.mkdir(parents=True)
    begin = struct.pack("<Q", len(_HEADER)) + _HEADER
    for index in range(count):
        (folder / f"{index:04}.safetensors").write_bytes(begin + struct.pack("<II", number, index))
