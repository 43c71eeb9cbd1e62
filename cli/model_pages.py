"""A page on a model that the catalog holds: all that is known of it, and why."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from cli.offers import licences_told, source_text
from cli.render import jsonable, plain, section, size_text, table
from modelhub.families import known
from modelhub.kinds import Artifact, Facts, Location
from modelhub.upkeep.quarantine import release
from modelhub.words.telling import training_rows
from modelhub.words.training import Training

if TYPE_CHECKING:
    from modelhub.catalog import Account, Base, Catalog, Lineage, Run

__all__ = ["ModelPage", "model_json", "model_page", "model_text"]

_METADATA_LINES = 30
_VALUE_WIDTH = 100
"""Characters of a metadata value that are shown."""
_NEWEST_RUNS = 5
_NOT_FACTS = ("evidence", "conflicts")
_GIVEN = {"header": "its header", "hub": "notes of a hub or another tool", "user": "you"}
"""Source of a trigger word -> how it is called."""


@dataclass(frozen=True, slots=True)
class ModelPage:
    """What is known of a model here."""

    account: "Account"
    names: Mapping[int, str]
    """Of the other models that it mentions."""
    is_quarantined: bool


def model_page(catalog: "Catalog", ref: str) -> ModelPage:
    """Raises `UnknownRef` for what the catalog does not hold."""
    account = catalog.account(catalog.resolve(ref).id)
    is_quarantined = catalog.workspace.is_quarantined(account.artifact.path)
    return ModelPage(account, catalog.names(_mentioned(account.lineage)), is_quarantined)


def model_json(page: ModelPage, header: Mapping[str, str]) -> dict[str, Any]:
    """All of it; `header` are the raw entries of its file."""
    account, base = page.account, page.account.base
    return {
        **jsonable(account.artifact),
        "words": [{"word": word, "source": source} for word, source in account.words],
        "training": account.training,
        "base": {"id": base.artifact.id, "name": base.artifact.name, "found_by": base.found_by} if base else None,
        "derived": [{"id": one.id, "name": one.name} for one in account.derived],
        "sources": account.sources,
        "lineage": account.lineage,
        "uses": account.uses,
        "metadata": header,
    }


def model_text(page: ModelPage, header: Mapping[str, str]) -> str:
    """For people; the raw entries last."""
    return "\n".join([*_lines(page), *section("header", _entries(header))])


def _lines(page: ModelPage) -> Iterator[str]:
    account, names = page.account, page.names
    artifact, training, lineage = account.artifact, account.training or Training(), account.lineage
    yield f"{artifact.id}  {plain(artifact.name)}"
    yield plain(_headline(artifact))
    yield from map(plain, _spec(training))
    yield from section("under quarantine", _quarantine(artifact) if page.is_quarantined else [])
    yield from section("facts", _facts(artifact.facts))
    yield from section("contradictions", artifact.facts.conflicts)
    yield from section("code in this pickle", _strangers(training))
    yield from section("trigger words", [f"{word}  ({_GIVEN[source]})" for word, source in account.words])
    yield from section("weight", [] if artifact.weight is None else [f"{artifact.weight:g}"])
    yield from section("note", [artifact.note] if artifact.note else [])
    yield from section("preview", [str(artifact.preview)] if artifact.preview else [])
    yield from section("how it was trained", _rows([*_trained_on(training, account.base), *training_rows(training)]))
    yield from section("about", _about(training))
    yield from section("licence", licences_told(account.sources))
    yield from section("sources", [source_text(one) for one in account.sources])
    yield from section("files", _files(artifact.locations))
    yield from section("digests", [f"{name}  {value}" for name, value in artifact.digests.items()])
    yield from section("found in prompts as", artifact.aliases)
    yield from section("tags", artifact.tags)
    yield from section("made by", [_run(lineage.made_by, names)] if lineage.made_by else [])
    yield from section("used by", _used(account, names))
    yield from section("trained on it", [f"{one.id} ({one.name})" for one in account.derived])


def _headline(artifact: Artifact) -> str:
    facts = artifact.facts
    family = known()[facts.family].title if facts.family and facts.family in known() else "an unknown family"
    variant = f" ({facts.variant})" if facts.variant else ""
    kind = facts.kind.replace("_", " ")
    return f"{kind} of {family}{variant}, {size_text(artifact.size)}, added {artifact.added_at:%Y-%m-%d %H:%M}"


def _spec(training: Training) -> Iterator[str]:
    """Title, author and licence, as its header gives them."""
    by = f"by {training.author}" if training.author else ""
    under = f"licence {' '.join(training.licence.split())}" if training.licence else ""
    told = [part for part in (training.title, by, under) if part]
    if told:
        yield _shortened(", ".join(told))


def _quarantine(artifact: Artifact) -> list[str]:
    return [f"its format can run code; {release(artifact)} makes it safe to use"]


def _facts(facts: Facts) -> list[str]:
    values = {field.name: getattr(facts, field.name) for field in fields(facts) if field.name not in _NOT_FACTS}
    rows = [
        (name.replace("_", " "), _plainly(value), _why(facts, name))
        for name, value in values.items()
        if value is not None
    ]
    return table(("", "", ""), rows).splitlines()[1:]


def _plainly(value: object) -> object:
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _why(facts: Facts, name: str) -> str:
    why = facts.evidence.get(name)
    return f"({why.source}: {why.detail})" if why else ""


def _strangers(training: Training) -> list[str]:
    if not training.strangers:
        return []
    return [
        "loading it in the usual way would import these; ModelHub reads it without running anything",
        ", ".join(training.strangers),
    ]


def _trained_on(training: Training, base: "Base | None") -> Iterator[tuple[str, str]]:
    named = training.base_name or training.base_version or ""
    if base is not None:
        proof = "by name only" if base.found_by == "name" else f"its {base.found_by} is in the header"
        yield "on", f"{base.artifact.id} ({base.artifact.name}), {proof}"
    elif training.base_sha256 or training.base_autov1 or training.base_name:
        digest = (training.base_sha256 or training.base_autov1 or "")[:10]
        yield "on", f"{named or 'a model'} {digest}".rstrip() + ", which the catalog does not hold"
    elif named:
        yield "on", named


def _rows(rows: Sequence[tuple[str, str]]) -> list[str]:
    return table(("", ""), [(label, " ".join(text.split())) for label, text in rows]).splitlines()[1:] if rows else []


def _about(training: Training) -> list[str]:
    told = (training.description, training.usage_hint and f"usage: {training.usage_hint}")
    return [one for one in (*told, ", ".join(training.keywords)) if one]


def _files(locations: Sequence[Location]) -> list[str]:
    """One a line, marked where two names are one file."""
    names = Counter(at.file_key or "" for at in locations)
    return [f"{at.path}  ({', '.join(_marks(at, names))})" for at in locations]


def _marks(at: Location, names: Mapping[str, int]) -> Iterator[str]:
    yield at.state
    if at.file_key and names[at.file_key] > 1:
        yield f"the same file under {names[at.file_key]} names"
    if at.verified_at:
        yield f"verified {at.verified_at:%Y-%m-%d}"


def _entries(metadata: Mapping[str, str]) -> list[str]:
    lines = [f"{key}  {_shortened(value)}" for key, value in sorted(metadata.items())]
    more = len(lines) - _METADATA_LINES
    return [*lines[:_METADATA_LINES], *([f"and {more} more entries: show --json"] if more > 0 else [])]


def _shortened(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= _VALUE_WIDTH else f"{line[:_VALUE_WIDTH]}... ({len(value):,} characters)"


def _mentioned(lineage: "Lineage") -> set[int]:
    runs = [*lineage.used_by, *([lineage.made_by] if lineage.made_by else [])]
    return {one for run in runs for one in (*run.outputs, *(used for _, used in run.inputs))}


def _used(account: "Account", names: Mapping[int, str]) -> list[str]:
    told = [_run(run, names) for run in account.lineage.used_by[:_NEWEST_RUNS]]
    drawn = account.uses.pictures
    more = f"{drawn:,} pictures in all: modelhub where {account.artifact.id}"
    return [*told, *([more] if drawn else [])]


def _run(run: "Run", names: Mapping[int, str]) -> str:
    inputs = ", ".join(f"{role} {one} ({names[one]})" for role, one in run.inputs)
    made = () if run.kind == "pull" else run.outputs  # one pull may bring very many
    outputs = ", ".join(f"{one} ({names[one]})" for one in made)
    drawn = f"{len(run.images)} pictures, the last {run.images[-1].path}" if run.images else ""
    told = [f"run {run.id}: {run.kind} {run.started_at:%Y-%m-%d %H:%M} {run.state}", f"from {inputs}" if inputs else ""]
    return ", ".join(part for part in (*told, f"made {outputs}" if outputs else "", drawn) if part)
