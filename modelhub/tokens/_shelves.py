"""The three places where a token may be kept: the system's keyring, our own files, the file of HuggingFace's client."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol, cast

from modelhub.tokens._files import check_private, delete_file, read_token, write_private

__all__ = ["ClientFile", "Files", "InKeyring", "Keyring", "Shelf", "system_keyring"]

_SERVICE = "modelhub"


class Shelf(Protocol):
    """One place."""

    def name(self, hub: str) -> str:
        """Where a hub's token lies, for people."""

    def read(self, hub: str) -> str | None: ...

    def write(self, hub: str, token: str) -> bool:
        """Whether it was taken."""

    def delete(self, hub: str) -> bool:
        """Whether there was one."""


class Keyring(Protocol):
    """What we need of a backend of `keyring`."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


def system_keyring() -> Keyring | None:
    """The one that `keyring` chooses; None where it has only stand-ins, as on most servers."""
    import keyring  # a tenth of a second, and it may ask the desktop

    with suppress(Exception):  # a broken desktop session must not keep anybody from the file
        found = keyring.get_keyring()
        return cast(Keyring, found) if found.priority > 0 else None
    return None


class InKeyring:
    """Whatever a keyring raises (locked, gone, refused), it then has nothing for us."""

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring

    def name(self, hub: str) -> str:
        return "the system's keyring"

    def read(self, hub: str) -> str | None:
        with suppress(Exception):
            return self._ring.get_password(_SERVICE, hub)
        return None

    def write(self, hub: str, token: str) -> bool:
        with suppress(Exception):
            self._ring.set_password(_SERVICE, hub, token)
            return True
        return False

    def delete(self, hub: str) -> bool:
        with suppress(Exception):
            self._ring.delete_password(_SERVICE, hub)
            return True
        return False


class Files:
    """A file a hub, in a folder of which nobody else sees anything."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def name(self, hub: str) -> str:
        return str(self._folder / hub)

    def read(self, hub: str) -> str | None:
        """Raises `UnsafeFile` when others could have read it."""
        check_private(self._folder / hub)
        return read_token(self._folder / hub)

    def write(self, hub: str, token: str) -> bool:
        write_private(self._folder / hub, token)
        self._folder.chmod(0o700)
        return True

    def delete(self, hub: str) -> bool:
        return delete_file(self._folder / hub)


class ClientFile:
    """Where HuggingFace's client keeps its token: found as it finds it, without importing it or asking anybody."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        cache = Path(environ.get("XDG_CACHE_HOME") or "~/.cache")
        home = Path(environ.get("HF_HOME") or cache / "huggingface")
        self._file = Path(environ.get("HF_TOKEN_PATH") or home / "token").expanduser()

    def name(self, hub: str) -> str:
        return str(self._file)

    def read(self, hub: str) -> str | None:
        return read_token(self._file)

    def write(self, hub: str, token: str) -> bool:
        write_private(self._file, token)
        return True

    def delete(self, hub: str) -> bool:
        return delete_file(self._file)
