"""Reads files in a process that may do nothing else: `python -m tests.guarded REPORT FILE...`.

An audit hook ends the process at the first attempt to run, import, write or connect. Each line of the report is what
one file came to, as JSON: seconds of processor time, growth of memory in bytes, and facts or an error.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from modelhub.errors import ModelHubError
from modelhub.headers import read_table
from modelhub.identify import identify

_FORBIDDEN = ("os.", "subprocess.", "socket.", "shutil.", "ctypes.", "pickle.", "marshal.", "import", "exec", "compile")
_HARMLESS = ("os.listdir", "os.scandir", "os.fspath")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CAUGHT = 99


def main(report: Path, files: list[Path]) -> None:
    """Read the first file without a guard, so that all is imported that is imported late, then each with it."""
    _read(files[0])
    with report.open("w") as lines, Path("/proc/self/clear_refs").open("wb", buffering=0) as peaks:
        sys.addaudithook(guard)
        for file in files[1:]:
            peaks.write(b"5")  # the peak begins anew
            before, began = _memory("VmRSS"), time.process_time()
            outcome = _read(file)
            spent = {"seconds": time.process_time() - began, "memory": _memory("VmHWM") - before}
            lines.write(json.dumps({"file": file.name, **spent, **outcome}) + "\n")


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """The hook: ends the process where it does more than read."""
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
    if writes or (event.startswith(_FORBIDDEN) and event not in _HARMLESS):
        os.write(2, f"forbidden: {event} {arguments!r}"[:500].encode())
        os._exit(_CAUGHT)


def _read(path: Path) -> dict[str, object]:
    try:
        table = read_table(path)
        return {"kind": identify(table, name=path.stem).kind, "strangers": table.metadata.get("pickle.strangers", "")}
    except ModelHubError as error:
        return {"error": error.code, "message": error.message, "mend": error.mend}


def _memory(field: str) -> int:
    """Bytes: ``VmRSS`` now, ``VmHWM`` at its peak."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition(f"{field}:")[2].split()[0])


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]])
