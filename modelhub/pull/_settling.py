"""Makes an artifact of what has come: identified, moved to its place, described beside it, registered.

Killed anywhere, it is finished by the next pull: where the model goes is written down before it goes, and all that
follows may be done twice.
"""

import hashlib
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from itertools import chain, count
from pathlib import Path, PurePosixPath

from modelhub.catalog import Catalog
from modelhub.digests import autov1, digest_file, file_digests, usual
from modelhub.errors import NameTaken
from modelhub.fingerprint import fingerprint, sample
from modelhub.headers import WEIGHT_SUFFIXES, TensorTable, folder_files, read_table
from modelhub.hubs import Listing, contradictions, said
from modelhub.identify import identify
from modelhub.jobs import Notice, drain
from modelhub.kinds import Artifact, Kind
from modelhub.network import Network
from modelhub.pull._beside import bring_preview, write_note
from modelhub.pull._incoming import Moved, discard, note_move
from modelhub.pull._nouns import Wish
from modelhub.upkeep.quarantine import release
from modelhub.words.file_names import safe_name
from modelhub.workspace import Workspace

__all__ = ["arrived_as", "move_to_its_place", "settle"]

_GENERIC = ("adapter_model", "diffusion_pytorch_model", "model", "pytorch_lora_weights", "pytorch_model")
"""Names that libraries give to every model: the hub's name for it tells more."""
_SHORT = 8
"""Digits of a digest in a file's name."""


def _whole(folder: Path, listing: Listing) -> Path:
    """The file, or the folder, that a parcel's files come to."""
    return folder / (safe_name(listing.name) if _is_folder(listing) else PurePosixPath(listing.files[0].path).name)


def arrived_as(folder: Path, listing: Listing, path: str) -> Path:
    """Where one file of a parcel arrives."""
    there = _whole(folder, listing)
    return there / path if _is_folder(listing) else there


def _is_folder(listing: Listing) -> bool:
    return listing.is_folder or len(listing.files) > 1


def move_to_its_place(folder: Path, listing: Listing, sha256: Mapping[str, str], workspace: Workspace) -> Moved:
    """Identify what lies in the parcel and give it its own name; raises `UnsafeFile` or `BrokenFile` and leaves it."""
    came = _whole(folder, listing)
    table = read_table(came)
    told = identify(table, name=came.stem).kind
    kind = listing.kind if told is Kind.UNKNOWN and listing.kind else told
    place = (workspace.quarantine if _runs_code(came, table) else workspace.models) / kind
    place.mkdir(parents=True, exist_ok=True)
    for name in _names(listing, came, sha256):
        target = place / name
        if target.exists() and _is_equal(came, target):
            return _noted(folder, target, target, sha256)
        if _is_free(target):
            found = _noted(folder, came, target, sha256)
            with suppress(FileExistsError):  # another process has just taken the name
                _move(came, target)
                return found
    raise AssertionError("numbers never end")


def settle(
    folder: Path,
    move: Moved,
    wish: Wish,
    listing: Listing,
    *,
    catalog: Catalog,
    run_id: int,
    network: Network,
    nsfw: bool,
) -> Generator[Notice, None, Artifact]:
    """Describe and register a model that lies at its place, and forget the parcel."""
    target = move.target
    write_note(target, listing, _as_placed(target, listing, move.sha256))
    yield from bring_preview(target, listing, network=network, nsfw=nsfw)
    artifact_id = yield from _registered(target, wish, catalog)
    catalog.note_outputs(run_id, [artifact_id])
    kind = catalog.artifact(artifact_id).facts.kind
    catalog.files.note_digests(target, fingerprint(target), _digests(target, move.sha256, kind))
    catalog.sources.note(artifact_id, listing.ref, said(listing), listing.trigger_words)
    discard(folder)
    artifact = catalog.artifact(artifact_id)
    yield from _contradictions(artifact, listing)
    if catalog.workspace.is_quarantined(target):
        yield Notice(
            f"{artifact.id} ({artifact.name}) is under quarantine: its format can run code; "
            f"{release(artifact)} makes it safe to use"
        )
    return artifact


# Its place


def _runs_code(came: Path, table: TensorTable) -> bool:
    if table.container != "diffusers":
        return table.container == "pickle"
    weights = (one for one in came.rglob("*") if one.is_file() and one.name.lower().endswith(WEIGHT_SUFFIXES))
    return any(read_table(one).container == "pickle" for one in weights)


def _names(listing: Listing, came: Path, sha256: Mapping[str, str]) -> Iterator[str]:
    """As the hub calls it; where another model has that name, with its version or the beginning of its digest."""
    suffix = "" if _is_folder(listing) else came.suffix
    stem = safe_name(listing.name)
    if stem.partition(".")[0] in _GENERIC:
        stem = safe_name(PurePosixPath(listing.ref.model).name or listing.title or stem)
    digest = next(iter(sha256.values()), "")[:_SHORT]
    told = (safe_name(f"{stem}-{one}") for one in (listing.version, digest) if one)
    numbered = (f"{stem}-{number}" for number in count(2))
    yield from (f"{one}{suffix}" for one in chain([stem], told, numbered))


def _is_free(target: Path) -> bool:
    """Nothing of that name; nor another model of that stem, since the notes beside models go by it."""
    stem = target.name.removesuffix(target.suffix) if target.name.lower().endswith(WEIGHT_SUFFIXES) else target.name
    names = (stem, *(f"{stem}{suffix}" for suffix in WEIGHT_SUFFIXES))
    return not any(os.path.lexists(target.with_name(name)) for name in names)


def _is_equal(came: Path, there: Path) -> bool:
    if came.is_dir() != there.is_dir() or fingerprint(came).size != fingerprint(there).size:
        return False
    return sample(came) == sample(there) and file_digests(came)["sha256"] == file_digests(there)["sha256"]


def _noted(folder: Path, now: Path, target: Path, sha256: Mapping[str, str]) -> Moved:
    move = Moved(target, fingerprint(now), dict(sha256))
    note_move(folder, move)
    return move


def _move(came: Path, target: Path) -> None:
    """Raises `FileExistsError`, and never replaces anything; the first name of a file goes with its parcel."""
    try:
        if came.is_dir():
            came.rename(target)
        else:
            os.link(came, target)
    except OSError as error:
        if os.path.lexists(target):
            raise FileExistsError(target) from error
        came.rename(target)  # on a file system without hard links


# Its record


def _registered(target: Path, wish: Wish, catalog: Catalog) -> Generator[Notice, None, int]:
    try:
        return catalog.files.register(target, name=wish.name, tags=wish.tags, again=True).id
    except NameTaken as error:
        one = catalog.files.register(target, tags=wish.tags, again=True)
        yield Notice(f"{one.id} is called {one.name}: {error.message}")
        return one.id


def _as_placed(target: Path, listing: Listing, sha256: Mapping[str, str]) -> Mapping[str, str]:
    """Digests by the names that the files have now."""
    return sha256 if _is_folder(listing) else {target.name: next(iter(sha256.values()))}


def _digests(target: Path, sha256: Mapping[str, str], kind: Kind) -> Mapping[str, str]:
    """Of the artifact: its bytes are not read again, but those of small kinds for the AutoV3 that prompts name."""
    if not target.is_dir():
        measured = next(iter(sha256.values()))
        known = {"sha256": measured, "autov2": measured[:10]}
        if "autov3" in usual(kind):
            short: Mapping[str, str] = drain(digest_file(target, algorithms=("autov1", "autov3")))
            return {**known, **short}
        return {**known, "autov1": oldest} if (oldest := autov1(target)) else known
    within = {one.relative_to(target).as_posix() for one in folder_files(target)}
    if not within <= sha256.keys():
        return {}
    lines = sorted(f"{name}\0{sha256[name]}\n" for name in within)
    return {"sha256": hashlib.sha256("".join(lines).encode()).hexdigest()}


def _contradictions(artifact: Artifact, listing: Listing) -> Iterator[Notice]:
    name = f"{artifact.id} ({artifact.name})"
    yield from (Notice(f"{name}: {one}") for one in contradictions(artifact.facts, listing))
    if artifact.facts.kind is Kind.UNKNOWN:
        yield Notice(f"{name}: what it is is not known; it is kept as unknown")
