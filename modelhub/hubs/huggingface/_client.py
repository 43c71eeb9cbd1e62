"""`HuggingFace`: the hub through its own client. Imported by `connect` only, since the client is slow to import."""

import difflib
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from logging import CRITICAL
from pathlib import Path
from posixpath import dirname
from typing import TypeVar
from urllib.parse import urlsplit

import huggingface_hub
from huggingface_hub.hf_api import ModelInfo, RepoFile, RepoFolder

from modelhub import __version__
from modelhub.errors import AccessDenied, NetworkError, NotOffered, Unreachable, UnsafeFile
from modelhub.hubs._address import HubRef
from modelhub.hubs._hub import Access, Account, Search
from modelhub.hubs._listing import Gate, Listing, RemoteFile
from modelhub.hubs.huggingface._addresses import NAME, is_repository
from modelhub.hubs.huggingface._asking import ONE_QUESTION, About, asked
from modelhub.hubs.huggingface._indexes import is_index, parts_named
from modelhub.hubs.huggingface._models import Model, models_in
from modelhub.hubs.huggingface._reading import Door, Scans, blobs_of, listing_of, scan_of
from modelhub.hubs.huggingface._searching import found
from modelhub.settings import HubSettings
from modelhub.tokens import Grant, Secret
from modelhub.transfer import Located
from modelhub.words.strangers import cleaned

__all__ = ["HuggingFace"]

T = TypeVar("T")
_LIBRARY = "modelhub-suite"
_OFFICIAL = "https://huggingface.co"
_SECONDS = 20.0
"""How long the hub may be silent, where its client lets us say so."""
_MAX_NAME = 100
"""Characters."""
_AT_ONCE = 500
"""Paths in one question."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MAX_INDEXES = 20
"""Of pipelines, that are read before anything is fetched."""


class HuggingFace:
    """One hub, or a mirror of it."""

    name = NAME

    def __init__(self, access: Access, *, sleep: Callable[[float], None] = time.sleep) -> None:
        # it would ask huggingface.co, whatever mirror is set, for a list of programs to watch out for
        huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True
        huggingface_hub.logging.set_verbosity(CRITICAL)  # it tells of each attempt, with whole addresses
        self._network = access.network
        self._sleep = sleep
        self._is_greeted = False
        self._settings = access.settings
        self._endpoint = access.settings.huggingface
        self._token = _token(access)
        """None where there is none, and for mirrors."""
        self._api = huggingface_hub.HfApi(
            endpoint=self._endpoint,
            token=self._token.reveal() if self._token else False,
            library_name=_LIBRARY,
            library_version=__version__,
        )

    def listings(self, ref: HubRef) -> tuple[Listing, ...]:
        info = self._info(ref.model, ref.version)
        models = self._models(info, ref.file or "")
        if not models:
            raise _nothing(ref, info, self._page(ref.model))
        listed = self._listed(info, str(info.sha), models, self._scans(info, models), self._door(info))
        if not listed:
            raise UnsafeFile(f"{ref.model}: its files differ in capital letters only", mend="ask its author to rename")
        return listed

    def locate(self, listing: Listing, file: RemoteFile) -> Located:
        repo = listing.ref.model
        commit, _, path = file.key.partition("/")
        url = huggingface_hub.hf_hub_url(repo, path, revision=commit, endpoint=self._endpoint)
        told = self._ask(
            lambda: huggingface_hub.get_hf_file_metadata(
                url,
                token=self._api.token,
                timeout=_SECONDS,
                library_name=_LIBRARY,
                library_version=__version__,
                endpoint=self._endpoint,
            ),
            repo,
            revision=commit,
            file=path,
        )
        if told.commit_hash is None:
            raise Unreachable("what answers is no HuggingFace hub", mend="correct HF_ENDPOINT")
        if self._settings.xet and told.xet_file_data and (at := self._by_xet(repo, commit, path)):
            return Located(at.as_uri())
        return Located(told.location, grant=self._grant() if self._is_home(told.location) else None)

    def search(self, query: Search) -> Iterator[Listing]:
        yield from self._ask(lambda: found(self._api, query))

    def account(self) -> Account:
        if self._token is None:
            raise _nobody(self._settings)
        told = self._ask(self._api.whoami)
        match told:
            case {"auth": {"accessToken": {"role": str(role)}}}:
                about = f"a {cleaned(role, _MAX_NAME)} token"
            case _:
                about = ""
        return Account(NAME, cleaned(told.get("name"), _MAX_NAME), about)

    def latest(self, refs: Sequence[HubRef]) -> Mapping[HubRef, tuple[Listing, ...]]:
        """One question a repository, and one more for what was held at an older commit.

        What has the same bytes at the newest commit keeps the commit that it has: it is no newer.
        """
        held = {repo: [one for one in refs if one.model == repo] for repo in dict.fromkeys(one.model for one in refs)}
        return {ref: listed for repo, ours in held.items() for ref, listed in self._latest(repo, ours)}

    def by_sha256(self, digests: Sequence[str]) -> Iterator[tuple[str, tuple[Listing, ...]]]:
        """Nothing: the hub does not find files by their digests."""
        return iter(())

    def _latest(self, repo: str, refs: Sequence[HubRef]) -> Iterator[tuple[HubRef, tuple[Listing, ...]]]:
        try:
            info = self._info(repo, None)
            at_commit = cache(lambda commit: self._info(repo, commit))
            for ref in refs:
                if ref.version and (held := self._unchanged(info, ref, at_commit)):
                    yield ref, self._listed(info, ref.version, held, {}, Door())
                else:
                    yield ref, self._listed(info, str(info.sha), self._models(info, ref.file or ""), {}, Door())
        except NotOffered:
            yield from ((ref, ()) for ref in refs)
        except NetworkError:
            return

    def _unchanged(
        self, info: ModelInfo, ref: HubRef, at_commit: Callable[[str | None], ModelInfo]
    ) -> tuple[Model, ...]:
        """What `ref` is at its own commit, when all of it is in the newest one too."""
        if ref.version == info.sha:
            return ()
        try:
            held = self._models(at_commit(ref.version), ref.file or "")
        except NotOffered:
            return ()
        now = {(one.path, one.oid) for one in blobs_of(info)}
        return held if all((one.path, one.oid) in now for model in held for one in model.blobs) else ()

    def _info(self, repo: str, revision: str | None) -> ModelInfo:
        told = self._ask(
            lambda: self._api.model_info(repo, revision=revision, files_metadata=True, timeout=_SECONDS),
            repo,
            revision=revision or "",
        )
        if not is_repository(told.id) or not _COMMIT.fullmatch(told.sha or ""):
            raise Unreachable(f"what answers for {repo} is no HuggingFace hub", mend="correct HF_ENDPOINT")
        return told

    def _models(self, info: ModelInfo, at: str) -> tuple[Model, ...]:
        blobs = blobs_of(info)
        indexes = [one.path for one in blobs if is_index(one, at)][:_MAX_INDEXES]
        named = {dirname(path): parts_named(self._url(info, path), self._network, self._grant()) for path in indexes}
        return models_in(blobs, at, {folder: parts for folder, parts in named.items() if parts})

    def _scans(self, info: ModelInfo, models: Sequence[Model]) -> Scans:
        paths = list(dict.fromkeys(blob.path for model in models for blob in model.blobs))
        try:
            told = self._ask(lambda: list(self._paths_info(info, paths)), info.id)
        except AccessDenied:  # what is behind a gate is listed all the same
            return {}
        return {one.path: scan_of(one) for one in told if isinstance(one, RepoFile)}

    def _paths_info(self, info: ModelInfo, paths: Sequence[str]) -> Iterator[RepoFile | RepoFolder]:
        for start in range(0, len(paths), _AT_ONCE):
            some = list(paths[start : start + _AT_ONCE])
            yield from self._api.get_paths_info(info.id, some, expand=True, revision=info.sha)

    def _door(self, info: ModelInfo) -> Door:
        if not info.gated:
            return Door()
        needed = f"{'agree to its terms' if info.gated == 'auto' else 'ask its authors'} at {self._page(info.id)}"
        if not self._token:
            return Door(Gate.APPROVAL, f"{needed}, then: modelhub login hf")
        try:
            self._ask(lambda: self._api.auth_check(info.id), info.id)
        except AccessDenied:
            return Door(Gate.APPROVAL, needed)
        return Door(said="this account was let in")

    def _listed(
        self, info: ModelInfo, commit: str, models: Sequence[Model], scans: Scans, door: Door
    ) -> tuple[Listing, ...]:
        each = (listing_of(info, commit, one, scans=scans, door=door, endpoint=self._endpoint) for one in models)
        return tuple(one for one in each if one)

    def _by_xet(self, repo: str, commit: str, path: str) -> Path | None:
        """Where Xet has put the file; nothing when it fails, since the other way is open."""
        from modelhub.hubs.huggingface._xet import brought

        try:
            return self._ask(lambda: brought(self._api, repo, commit, path), repo, file=path, seconds=None)
        except Unreachable:
            return None

    def _ask(
        self,
        question: Callable[[], T],
        repo: str = "",
        *,
        revision: str = "",
        file: str = "",
        seconds: float | None = ONE_QUESTION,
    ) -> T:
        self._greet()
        about = About(repo, self._page(repo), revision, file, with_token=self._token is not None)
        return asked(question, about, seconds=seconds, sleep=self._sleep)

    def _greet(self) -> None:
        """Once, whether the hub can be reached by the rules of our own way out, which its client does not know."""
        if not (self._is_greeted or huggingface_hub.constants.HF_HUB_OFFLINE):
            self._network.open(self._endpoint, method="HEAD", follow=False).close()
            self._is_greeted = True

    def _url(self, info: ModelInfo, path: str) -> str:
        return huggingface_hub.hf_hub_url(info.id, path, revision=info.sha, endpoint=self._endpoint)

    def _page(self, repo: str) -> str:
        return f"{self._endpoint}/{repo}"

    def _grant(self) -> Grant | None:
        return Grant(self._token, (urlsplit(self._endpoint).hostname or "",)) if self._token else None

    def _is_home(self, url: str) -> bool:
        """Whether the hub itself serves it, and no storage that must not see the token."""
        return urlsplit(url)[:2] == urlsplit(self._endpoint)[:2]


def _token(access: Access) -> Secret | None:
    return access.tokens.find(NAME) if _is_trusted(access.settings) else None


def _is_trusted(settings: HubSettings) -> bool:
    return settings.huggingface == _OFFICIAL or settings.trust_mirrors


def _nobody(settings: HubSettings) -> AccessDenied:
    if _is_trusted(settings):
        return AccessDenied("there is no token for HuggingFace", mend="modelhub login hf")
    why = f"{settings.huggingface} is a mirror, which gets no token"
    return AccessDenied(why, mend="if you trust it: export MODELHUB_TRUST_MIRRORS=1")


def _nothing(ref: HubRef, info: ModelInfo, page: str) -> NotOffered:
    """Names what is near, when only the file is wrong."""
    if not ref.file:
        return NotOffered(f"{ref.model} holds no weights in a form that we know", mend=f"look at {page}/tree/main")
    offered = [model.at for model in models_in(blobs_of(info))]
    near = difflib.get_close_matches(ref.file, offered, cutoff=0.4) or offered[:3]
    hint = f"; it has {', '.join(near)}" if near else ""
    return NotOffered(f"{ref.model} has no model {ref.file}{hint}", mend=f"look at {page}/tree/main")
