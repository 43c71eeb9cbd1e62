"""`Civitai`: the hub, on its interface v1."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice

from modelhub.errors import AccessDenied, AmbiguousRef, NetworkError, NotOffered
from modelhub.hubs._address import HubRef
from modelhub.hubs._hub import Access, Account, Search
from modelhub.hubs._listing import Gate, Listing, RemoteFile
from modelhub.hubs.civitai import _asking, _files, _pictures
from modelhub.hubs.civitai._addresses import NAME
from modelhub.hubs.civitai._api import LOGIN, Api
from modelhub.hubs.civitai._downloads import locate
from modelhub.hubs.civitai._shapes import Json, best_first, listings, newest_first, versions_of
from modelhub.kinds import Kind
from modelhub.transfer import Located
from modelhub.words.civitai import name_in, number_of, rows_in

__all__ = ["Civitai"]


def _now() -> datetime:
    return datetime.now(UTC)


class Civitai:
    """Asks one question at a time, and as few as can be."""

    name = NAME

    def __init__(
        self, access: Access, *, now: Callable[[], datetime] = _now, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._network = access.network
        self._api = Api(access)
        self._now, self._sleep = now, sleep
        self._has_gallery = True

    def listings(self, ref: HubRef) -> tuple[Listing, ...]:
        """The models of one version; where none is named, of the newest that everybody may have."""
        if ref.digest:
            return self._with_digest(ref, ref.digest)
        model, version = self._version(ref)
        found = self._listed(model, version)
        wanted = tuple(one for one in found if ref.file in (None, one.ref.file) or one.gate is Gate.GONE)
        if not wanted:
            what = f"file {ref.file}" if found and ref.file else "model file"
            page = f"{self._api.site}/model-versions/{version.get('id')}"
            raise NotOffered(f"version {version.get('id')} at Civitai has no {what}", mend=f"open {page}")
        return self._illustrated(wanted, version)

    def locate(self, listing: Listing, file: RemoteFile) -> Located:
        """By the file's own number: asked by format and size, the hub sometimes gives another one."""
        version = f"{self._api.site}/api/download/models/{listing.ref.version}"
        urls = [f"{version}?fileId={file.key}"]
        if listing.kind is Kind.VAE and "sha256" in file.digests:
            urls.append(f"{version}?type=VAE")  # one that is another version's is given under its sort only
        return locate(urls, listing, network=self._network, grant=self._api.grant, sleep=self._sleep)

    def search(self, query: Search) -> Iterator[Listing]:
        """One listing a model: the best file of its newest version."""
        asked = _asking.query_of(query)
        if asked is not None and (query.kinds or query.family):
            asked = _asking.as_listed(asked, self._enums)
        return iter(()) if asked is None else islice(self._hits(asked), query.limit)

    def account(self) -> Account:
        """Whom the token belongs to."""
        if self._api.grant is None:
            raise AccessDenied("there is no token for Civitai here", mend=LOGIN)
        told = self._api.ask("me")
        held: Json = told if isinstance(told, dict) else {}
        about = [name_in(held.get(name)) for name in ("tier", "status")]
        return Account(NAME, name_in(held.get("username")), ", ".join(one for one in about if one))

    def latest(self, refs: Sequence[HubRef]) -> Mapping[HubRef, tuple[Listing, ...]]:
        """A hundred models in one question; what it does not answer is asked for alone."""
        owners = {ref: owner for ref in refs if (owner := self._owner(ref)) is not None}
        models = self._models(set(owners.values()))
        return {ref: self._offered(models[owner]) for ref, owner in owners.items() if owner in models}

    def by_sha256(self, digests: Sequence[str]) -> Iterator[tuple[str, tuple[Listing, ...]]]:
        """All versions that have these bytes, the oldest first: ten thousand in one question, then what they are."""
        owners = _asking.owners(self._api, digests)
        for some in _asking.batches(list(owners), _asking.DIGESTS_AT_ONCE):
            yield from self._having({digest: owners[digest] for digest in some})

    def _having(self, owners: Mapping[str, Sequence[HubRef]]) -> Iterator[tuple[str, tuple[Listing, ...]]]:
        """What the versions are that have each digest."""
        refs = {ref: digest for digest, each in owners.items() for ref in each}
        models = self._models({ref.model for ref in refs})
        shown = {str(one["id"]): (model, one) for model in models.values() for one in versions_of(model)}
        hidden = dict.fromkeys(digest for ref, digest in refs.items() if ref.version not in shown)
        for number, version in _asking.versions(self._api, hidden).items():
            shown.setdefault(str(number), ({}, version))
        listed = {ref: self._listed(*shown[one]) for ref in refs if (one := ref.version or "") in shown}
        for digest, each in owners.items():
            found = (one for ref in each for one in _with_bytes(digest, listed.get(ref, ()), ref))
            yield digest, tuple(sorted(found, key=_age))

    def _listed(self, model: Json, version: Json) -> tuple[Listing, ...]:
        return listings(model, version, site=self._api.site, now=self._now())

    @cached_property
    def _enums(self) -> Json:
        return _asking.enums(self._api)

    # One version

    def _version(self, ref: HubRef) -> tuple[Json, Json]:
        """The model, as far as it is told, and the version of it that `ref` means."""
        alone = self._alone(ref) if not ref.model else None
        number = ref.model or (alone and number_of(alone.get("modelId")))
        model = self._model(number) if number else {}
        if ref.version is None:
            return model, self._chosen(ref, model)
        among = next((one for one in versions_of(model) if str(one["id"]) == ref.version), None)
        found = among or alone or self._alone(ref)
        if ref.model and str(number_of(found.get("modelId")) or ref.model) != ref.model:
            why = f"version {ref.version} is of model {found['modelId']}, not {ref.model}"
            raise NotOffered(why, mend=f"modelhub pull {NAME}:@{ref.version}")
        return model, found

    def _model(self, number: object) -> Json:
        """Empty where the hub has it no longer."""
        found = self._api.ask(f"models/{number}")
        return found if isinstance(found, dict) else {}

    def _alone(self, ref: HubRef) -> Json:
        """The version without its model's author, tags and licence."""
        found = self._api.ask(f"model-versions/{ref.version}")
        if not isinstance(found, dict):
            raise self._api.missing(f"version {ref.version}" + (f" of model {ref.model}" if ref.model else ""))
        return found

    def _chosen(self, ref: HubRef, model: Json) -> Json:
        each = [one for one in best_first(model, self._now()) if not ref.file or _has_file(one, ref.file)]
        if not each:
            what = f"file {ref.file} in model {ref.model}" if ref.file and model else f"model {ref.model}"
            raise self._api.missing(what)
        return each[0]

    def _illustrated(self, found: tuple[Listing, ...], version: Json) -> tuple[Listing, ...]:
        """With examples; pictures and prompts that the version does not tell come from the gallery."""
        previews, examples = found[0].previews, _pictures.examples(version.get("images"))
        if found[0].gate is not Gate.GONE and not (previews and examples):
            posted = list(self._gallery(version))
            previews = previews or tuple(_pictures.previews(posted))
            examples = examples or _pictures.examples(posted)
        return tuple(replace(one, previews=previews, examples=examples) for one in found)

    def _gallery(self, version: Json) -> Sequence[Json]:
        """A favour of the hub: where it fails once, it is not waited for again."""
        number = number_of(version.get("id"))
        try:
            return _asking.pictures(self._api, number) if number and self._has_gallery else ()
        except NetworkError:
            self._has_gallery = False
            return ()

    # Digests

    def _with_digest(self, ref: HubRef, digest: str) -> tuple[Listing, ...]:
        """All versions that share it; which is meant is not ours to guess where they are of several models."""
        found = self._by_sha256(digest) if len(digest) == 64 else ()
        found = found or self._by_any(digest)
        mine = tuple(one for one in found if one.ref.model == ref.model) or found
        if len({one.ref.model for one in mine}) > 1:
            raise AmbiguousRef(str(ref), [str(one.ref) for one in mine], mend="name one of them")
        return mine

    def _by_sha256(self, digest: str) -> tuple[Listing, ...]:
        return next((found for _, found in self.by_sha256([digest])), ())

    def _by_any(self, digest: str) -> tuple[Listing, ...]:
        """By one of another kind: the hub names the oldest version, whose sha256 leads to the others."""
        oldest = self._api.ask(f"model-versions/by-hash/{digest}")
        if not isinstance(oldest, dict):
            raise self._api.missing(f"file with the digest {digest}")
        same = [one for one in rows_in(oldest.get("files")) if _files.has_digest(one, digest)]
        sha256 = next((found for one in same if (found := _files.digests_of(one).get("sha256"))), None)
        if sha256 and (each := self._by_sha256(sha256)):
            return each
        return self._listed(self._model(oldest.get("modelId")), {**oldest, "files": same or oldest.get("files")})

    # Many models

    def _owner(self, ref: HubRef) -> str | None:
        """The number of its model; None where that cannot be told, since versions for adults look as if deleted."""
        if ref.model or ref.digest:
            return ref.model or None
        try:
            return str(number_of(self._alone(ref).get("modelId")) or "") or None
        except (NotOffered, NetworkError):
            return None

    def _models(self, numbers: Set[str]) -> Mapping[str, Json]:
        """By number; empty where the hub has one no longer, and none where it could not be asked.

        Lists leave out what is not for the audience of the site, so what they do not name is asked for alone.
        """
        found = dict(_asking.models(self._api, sorted(numbers)))
        for number in sorted(numbers - found.keys()):
            try:
                found[number] = self._model(number)
            except AccessDenied:
                continue
            except NetworkError:
                break  # what is down for one is down for all
        return found

    def _offered(self, model: Json) -> tuple[Listing, ...]:
        return tuple(one for version in newest_first(model) for one in self._listed(model, version))

    def _hits(self, asked: _asking.Query) -> Iterator[Listing]:
        for model in _asking.pages(self._api, asked):
            for version in best_first(model, self._now())[:1]:
                yield from self._listed(model, version)[:1]


def _has_file(version: Json, file: str) -> bool:
    return any(str(one.get("id")) == file for one in rows_in(version.get("files")))


def _with_bytes(digest: str, listed: Sequence[Listing], ref: HubRef) -> Sequence[Listing]:
    """Those of a version's models that have these bytes; where it shows no such digest, the version as such."""
    same = [one for one in listed if any(file.digests.get("sha256") == digest for file in one.files)]
    whole = replace(listed[0], ref=ref, files=()) if listed else Listing(ref, name=f"{NAME}-{ref.version}")
    return same or (whole,)


def _age(listing: Listing) -> tuple[datetime, int]:
    return listing.published_at or datetime.max.replace(tzinfo=UTC), int(listing.ref.version or 0)
