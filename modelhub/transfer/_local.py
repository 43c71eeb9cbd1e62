"""A file of this machine or of a mounted disk, answering as a server would."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from modelhub.errors import AccessDenied, NotOffered, Unreachable

__all__ = ["LocalAnswer"]


class LocalAnswer:
    """The bytes behind a ``file:`` address from `start` on; its time of change and size stand for an ETag."""

    location: str | None = None

    def __init__(self, url: str, start: int) -> None:
        self.url = url
        path = Path(url2pathname(urlsplit(url).path))
        try:
            self._file = path.open("rb", buffering=0)
        except (FileNotFoundError, IsADirectoryError):
            raise NotOffered(f"{path}: there is no such file") from None
        except PermissionError:
            raise AccessDenied(f"{path} may not be read", mend=f"ls -l {path}") from None
        about = os.fstat(self._file.fileno())
        self._left = max(0, about.st_size - start)
        self._file.seek(start)
        self.status = 200 if not start else 206 if self._left else 416
        self.headers: Mapping[str, str] = _headers(start, about)

    def readinto(self, view: memoryview) -> int:
        try:
            count = self._file.readinto(view[: self._left] if self._left < len(view) else view) or 0
        except OSError as error:
            raise Unreachable(f"{self._file.name} cannot be read ({error.strerror})") from error
        if not count and self._left:
            raise Unreachable(f"{self._file.name} ends earlier than it did")
        self._left -= count
        return count

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "LocalAnswer":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _headers(start: int, about: os.stat_result) -> dict[str, str]:
    size = about.st_size
    span = f"{start}-{size - 1}" if start < size else "*"
    return {
        "Content-Length": str(max(0, size - start)),
        "Content-Range": f"bytes {span}/{size}",
        "ETag": f'"{about.st_mtime_ns}-{size}"',
    }
