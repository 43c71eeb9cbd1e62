"""Models that lie in a folder of this machine, or on a disk in the network: another machine's collection is a mirror.

``folder:/nas/models/kip.safetensors`` is a file, ``folder:/nas/sdxl`` a folder that is one model, and
``folder:/nas/models`` all that lies in it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from modelhub.errors import AccessDenied, BadValue, NotOffered, Unreachable
from modelhub.headers import WEIGHT_SUFFIXES, folder_files, holds_model
from modelhub.hubs._address import HubRef
from modelhub.hubs._hub import Access, Account, Hub, Search
from modelhub.hubs._listing import Listing, RemoteFile
from modelhub.kinds import Kind
from modelhub.licences import UNKNOWN, from_json
from modelhub.transfer import Located
from modelhub.words.file_names import safe_name, safe_path
from modelhub.words.sidecars import read_sidecars
from modelhub.words.strangers import cleaned, parsed, texts_in

__all__ = ["NAME", "address", "connect", "written"]

NAME = "folder"
_SIDECAR = ".modelhub.json"
_MAX_SIDECAR, _MAX_TEXT = 5_000_000, 200
"""Characters."""
_FORMATS = {".safetensors": "safetensors", ".sft": "safetensors", ".gguf": "gguf"}


def address(text: str) -> HubRef | None:
    """``folder:PATH`` and ``file:`` URLs; a relative path starts where the command runs."""
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() not in ("folder", "file"):
        return None
    try:
        path = _unquoted(text) if scheme.lower() == "file" else rest
        return HubRef(NAME, os.path.abspath(Path(_named(path)).expanduser()))
    except (ValueError, RuntimeError):  # of a user that this machine does not have
        raise BadValue(f"{text!r} names no folder", mend="write folder:/path/to/models") from None


def written(ref: HubRef) -> str:
    """As a person writes it, where that is unmistakable."""
    plain = ref.model.isprintable() and ref.model == ref.model.strip()
    return f"folder:{ref.model}" if plain else f"file://{quote(os.fsencode(ref.model))}"


def connect(access: Access) -> Hub:
    """What is allowed on the network does not matter here."""
    return Folder()


class Folder:
    """The disks of this machine, as a hub."""

    name = NAME

    def listings(self, ref: HubRef) -> tuple[Listing, ...]:
        path = Path(ref.model)
        if not path.exists():
            raise NotOffered(f"{path} does not exist", mend=f"ls {path.parent}")
        found = _listed(path)
        if not found:
            raise NotOffered(f"{path} holds no model", mend="name a weight file, or a folder that has some")
        return found

    def locate(self, listing: Listing, file: RemoteFile) -> Located:
        path = Path(file.key.rpartition("#")[0])
        if not path.is_file():
            raise NotOffered(f"{path} is there no longer", mend=f"ls {path.parent}")
        if file.key != _key(path):
            raise Unreachable(f"{path} has changed since it was listed", mend="ask for it again")
        return Located(path.as_uri())

    def search(self, query: Search) -> Iterator[Listing]:
        return iter(())

    def account(self) -> Account:
        raise AccessDenied("a folder knows no accounts")

    def latest(self, refs: Sequence[HubRef]) -> Mapping[HubRef, tuple[Listing, ...]]:
        """Whatever lies there now. A disk that is not there at all could not be asked."""
        return {ref: _listed(Path(ref.model)) for ref in refs if Path(ref.model).parent.is_dir()}

    def by_sha256(self, digests: Sequence[str]) -> Iterator[tuple[str, tuple[Listing, ...]]]:
        return iter(())


def _named(path: str) -> str:
    if not path or "\0" in path:
        raise ValueError(path)
    return path


def _unquoted(url: str) -> str:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise BadValue(f"{url!r} names another machine", mend="mount its disk here, and write folder:PATH")
    return os.fsdecode(unquote(parts.path, errors="surrogateescape"))


def _listed(path: Path) -> tuple[Listing, ...]:
    try:
        return tuple(_listing(one) for one in _models(path))
    except OSError as error:
        raise Unreachable(f"{path} cannot be read: {error.strerror}", mend=f"ls -la {path}") from error


def _models(path: Path) -> Iterator[Path]:
    """The file, the folder that is one model, or all of both within; links to folders are not followed."""
    if path.is_file() and path.name.lower().endswith(WEIGHT_SUFFIXES):
        yield path
    if not path.is_dir():
        return
    entries = sorted(one for one in path.iterdir() if not one.name.startswith("."))
    if holds_model([one.name for one in entries]):
        yield path
        return
    for one in entries:
        if one.is_file() or not one.is_symlink():
            yield from _models(one)


def _listing(path: Path) -> Listing:
    """With what is said beside it, by a pull or by other tools."""
    members = folder_files(path) if path.is_dir() else (path,)
    claimed, told = _claimed(path), read_sidecars(path)
    said = next(iter(told.sources.values()), {})
    return Listing(
        ref=HubRef(NAME, str(path)),
        name=safe_name(path.name if path.is_dir() else path.stem),
        files=tuple(_file(one, path, claimed) for one in members),
        is_folder=path.is_dir(),
        title=safe_name(path.name),
        kind=_kind(said.get("type")),
        family=told.family,
        base=_text(said.get("base_model")),
        format="diffusers" if path.is_dir() else _FORMATS.get(path.suffix.lower(), "pickle"),
        creator=_text(said.get("creator")),
        description=told.note,
        tags=texts_in(said.get("tags"), limit=_MAX_TEXT, count=_MAX_TEXT),
        trigger_words=told.trigger_words,
        licence=from_json(said["licence"]) if "licence" in said else UNKNOWN,
        nsfw=said.get("nsfw") is True,
        page=written(HubRef(NAME, str(path))),
    )


def _file(path: Path, model: Path, claimed: Mapping[str, str]) -> RemoteFile:
    within = path.name if path == model else path.relative_to(model).as_posix()
    digests = {"sha256": claimed[within]} if within in claimed else {}
    return RemoteFile(safe_path(within), _key(path), path.stat().st_size, digests=digests)


def _key(path: Path) -> str:
    """Changes when the file does."""
    stat = path.stat()
    return f"{path}#{stat.st_size}-{stat.st_mtime_ns}"


def _claimed(path: Path) -> Mapping[str, str]:
    """Path within the model -> its sha256, as the note of a pull beside it says; a single file may be renamed since."""
    note = path.with_name((path.name if path.is_dir() else path.stem) + _SIDECAR)
    try:
        told: Any = parsed(note.read_text(encoding="utf-8"), _MAX_SIDECAR)
    except (OSError, UnicodeDecodeError):
        return {}
    said = told.get("sha256") if isinstance(told, dict) else None
    each = said if isinstance(said, dict) else {}
    digests = {name: digest for name, digest in each.items() if isinstance(digest, str) and _is_sha256(digest)}
    return dict.fromkeys([path.name], *digests.values()) if path.is_file() and len(digests) == 1 else digests


def _kind(said: object) -> Kind | None:
    return Kind(str(said)) if said in tuple(Kind) else None


def _text(said: object) -> str:
    return cleaned(said, _MAX_TEXT)


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and not set(text) - set("0123456789abcdef")
