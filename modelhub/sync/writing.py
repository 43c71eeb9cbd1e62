"""Writes `models.toml`: a first one from what the catalog holds, and small changes that keep what its owner wrote."""

from collections.abc import Sequence
from typing import Any

import tomlkit

from modelhub import hubs
from modelhub.catalog import Catalog
from modelhub.errors import ModelHubError, NotFound
from modelhub.hubs import HubRef
from modelhub.sync.manifest import SCHEMA, Entry

__all__ = ["entries_of", "new_manifest", "repointed"]

_HEAD = """What this workspace shall hold. `modelhub sync` makes it so, and locks each model to the byte in models.lock.
An entry: ref = "hf:OWNER/REPO" or "civitai:MODEL@VERSION"; name, kind, tags, file, precision, format as you like."""


def entries_of(catalog: Catalog) -> tuple[Entry, ...]:
    """An entry for each artifact that has an address at a hub on the network, by name."""
    found: list[Entry] = []
    for artifact in sorted(catalog.list(), key=lambda one: one.name):
        refs = [hubs.parse(one.ref) for one in catalog.sources.of(artifact.id) if one.gone_at is None]
        if ref := next((one for one in refs if one.hub != "folder"), None):
            found.append(Entry(ref, artifact.name, tags=artifact.tags))
    return tuple(found)


def new_manifest(entries: Sequence[Entry]) -> str:
    """The text of a manifest with these entries."""
    document = tomlkit.document()
    for line in _HEAD.splitlines():
        document.add(tomlkit.comment(line))
    document.add("schema", tomlkit.item(SCHEMA))
    if entries:
        models = tomlkit.aot()
        for entry in entries:
            models.append(_table(entry))
        document.add("model", models)
    return tomlkit.dumps(document)


def repointed(text: str, entry: Entry, ref: HubRef) -> str:
    """`text` with the address of one entry replaced; every comment and blank of its owner's stays."""
    document: Any = tomlkit.parse(text)
    for table, key in [*((one, "ref") for one in document.get("model", ())), *_compact(document)]:
        if _is(table[key], entry.ref) and entry.name in (None, table.get("name"), key):
            table[key] = str(ref)
            return tomlkit.dumps(document)
    raise NotFound(f"models.toml has no entry for {entry.ref}", mend="modelhub sync")


def _compact(document: Any) -> list[tuple[Any, str]]:
    models = document.get("models", {})
    return [(models, name) for name in models]


def _is(text: str, ref: HubRef) -> bool:
    try:
        return hubs.parse(str(text)) == ref
    except ModelHubError:
        return False


def _table(entry: Entry) -> Any:
    table = tomlkit.table()
    table.add("ref", str(entry.ref))
    if entry.name:
        table.add("name", entry.name)
    if entry.tags:
        table.add("tags", list(entry.tags))
    return table
