"""HuggingFace's hub on this machine, as its own client finds it: the protocol of huggingface_hub 2.4.

with HuggingFace() as hub:
    commit = hub.put("kip/styles", {"kip.safetensors": content}, tags=["lora"], card={"license": "mit"})
    hub.users["hf_secret"] = "kip"
    ... HfApi(endpoint=hub.url), or HubSettings(huggingface=hub.url)
    assert hub.asked("resolve") == [...]

Large files are redirected to `hub.storage`, another origin, for an address that expires. While one is in use, this
process's huggingface_hub is online, whatever HF_HUB_OFFLINE says.
"""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

import huggingface_hub.constants

from modelhub.settings import HubSettings
from tests.servers.huggingface_shapes import Repo, blob, entry, is_large, sibling, told
from tests.servers.storage import Storage

__all__ = ["Asked", "HuggingFace", "Repo"]


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    token: str | None
    agent: str


class HuggingFace:
    """Use it in a ``with``."""

    def __init__(self, *, page: int = 1000) -> None:
        self.repos: dict[str, Repo] = {}
        self.users: dict[str, str] = {}
        """Token -> name."""
        self.requests: list[Asked] = []
        self.storage = Storage()
        self.storage.refuses_tokens = True
        self.fails_with: int | None = None
        """The status of every answer, when it is broken."""
        self.once: list[int] = []
        """Statuses of the next answers, one each."""
        self.xet = False
        """Whether large files are said to be in Xet's store, which is not there."""
        self.page = page
        """Entries of one page of a list."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def settings(self) -> HubSettings:
        """Of a client that talks to it, and trusts it with its token."""
        return HubSettings(huggingface=self.url, trust_mirrors=True)

    @property
    def environ(self) -> dict[str, str]:
        """The same, said to a command."""
        return {"HF_ENDPOINT": self.url, "MODELHUB_TRUST_MIRRORS": "1", "HF_HUB_OFFLINE": "0"}

    def put(self, name: str, files: Mapping[str, bytes | None], *, revision: str = "main", **about: Any) -> str:
        """A commit on top of `revision`, its parents' files and `files` (None takes one away); returns its hash.

        `about` is what `Repo` says of the whole repository.
        """
        repo = self.repos.setdefault(name, Repo(name))
        for key, value in about.items():
            setattr(repo, key, value)
        parent = repo.revisions.get(revision, repo.revisions.get("main", ""))
        tree = {**repo.commits.get(parent, {}), **files}
        commit = hashlib.sha1(f"{name} {revision} {len(repo.commits)}".encode()).hexdigest()
        repo.commits[commit] = {path: content for path, content in sorted(tree.items()) if content is not None}
        repo.revisions[revision] = commit
        repo.dates[commit] = f"2026-01-{len(repo.commits):02}T12:00:00.000Z"
        return commit

    def asked(self, part: str) -> list[Asked]:
        """The requests with `part` in their path."""
        return [one for one in self.requests if part in one.path]

    def __enter__(self) -> "HuggingFace":
        self._offline = huggingface_hub.constants.HF_HUB_OFFLINE
        huggingface_hub.constants.HF_HUB_OFFLINE = False
        self.storage.__enter__()
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.storage.__exit__(*exception)
        huggingface_hub.constants.HF_HUB_OFFLINE = self._offline

    def answer(self, asked: Asked, body: bytes) -> "_Answer":
        self.requests.append(asked)
        if failure := self.once.pop(0) if self.once else self.fails_with:
            return _error(failure, "", "Internal Error - We're working hard to fix this as soon as possible!")
        if asked.token is not None and asked.token not in self.users:
            return _error(401, "", "Invalid credentials in Authorization header")
        for pattern, route in _ROUTES.items():
            if found := re.fullmatch(pattern, asked.path):
                parts = [unquote(one or "") for one in found.groups()]
                try:
                    return route(self, asked, body, *parts)
                except _Refused as refused:
                    return refused.answer
        return _error(404, "", "Sorry, we can't find the page you are looking for.")

    def visible(self, name: str, asked: Asked) -> Repo:
        repo, user = self.repos.get(name), self.users.get(asked.token or "")
        if repo is None or (repo.private and user not in repo.members):
            status = 404 if user else 401
            raise _Refused(_error(status, "RepoNotFound", "Repository not found"))
        if repo.disabled:
            raise _Refused(_error(403, "", "Access to this resource is disabled."))
        return repo

    def open_to(self, repo: Repo, asked: Asked) -> None:
        user = self.users.get(asked.token or "")
        if repo.gated and user not in repo.members:
            said = f"Access to model {repo.name} is restricted and you are not in the authorized list."
            raise _Refused(_error(403 if user else 401, "GatedRepo", said))


@dataclass
class _Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Refused(Exception):
    def __init__(self, answer: _Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def _json(content: Any, **headers: str) -> _Answer:
    return _Answer(200, {"Content-Type": "application/json; charset=utf-8", **headers}, json.dumps(content).encode())


def _error(status: int, code: str, said: str) -> _Answer:
    headers = {"X-Error-Message": said, "Content-Type": "application/json"} | ({"X-Error-Code": code} if code else {})
    return _Answer(status, headers, json.dumps({"error": said}).encode())


def _commit(repo: Repo, revision: str) -> str:
    commit = repo.revisions.get(revision or "main", revision)
    if commit not in repo.commits:
        raise _Refused(_error(404, "RevisionNotFound", f"Invalid rev id: {revision}"))
    return commit


def _whoami(hub: HuggingFace, asked: Asked, body: bytes) -> _Answer:
    if asked.token is None:
        return _error(401, "", "Invalid username or password.")
    role = {"type": "access_token", "accessToken": {"displayName": "laptop", "role": "read"}}
    return _json({"type": "user", "name": hub.users[asked.token], "fullname": "Kip", "orgs": [], "auth": role})


def _info(hub: HuggingFace, asked: Asked, body: bytes, name: str, revision: str = "") -> _Answer:
    repo = hub.visible(name, asked)
    commit = _commit(repo, revision)
    blobs = "blobs" in asked.query
    content = told(repo, commit) | {"siblings": [sibling(*one, blobs=blobs) for one in repo.commits[commit].items()]}
    return _json(_expanded(content, asked))


def _expanded(content: dict[str, Any], asked: Asked) -> dict[str, Any]:
    wanted = asked.query.get("expand")
    return {key: content[key] for key in ("id", "modelId", *wanted) if key in content} if wanted else content


def _is_true(form: Mapping[str, Sequence[str]], name: str) -> bool:
    return form.get(name, ["false"])[0].lower() == "true"


def _tree(hub: HuggingFace, asked: Asked, body: bytes, name: str, revision: str, under: str = "") -> _Answer:
    repo = hub.visible(name, asked)
    files = repo.commits[_commit(repo, revision)]
    inside = {path: content for path, content in files.items() if path.startswith(f"{under}/" if under else "")}
    if under and not inside:
        return _error(404, "EntryNotFound", f"{under} does not exist on {revision}")
    depth = under.count("/") + bool(under)
    deep, expand = _is_true(asked.query, "recursive"), _is_true(asked.query, "expand")
    folders = {"/".join(path.split("/")[:cut]) for path in inside for cut in range(depth + 1, path.count("/") + 1)}
    shown: list[dict[str, Any]] = [{"type": "directory", "path": one, "oid": blob(one.encode())} for one in folders]
    shown += [entry(repo, path, content, expand=expand) for path, content in inside.items()]
    kept = [one for one in shown if deep or one["path"].count("/") == depth]
    return _paged(hub, asked, sorted(kept, key=lambda one: str(one["path"])))


def _paths(hub: HuggingFace, asked: Asked, body: bytes, name: str, revision: str) -> _Answer:
    repo = hub.visible(name, asked)
    files = repo.commits[_commit(repo, revision)]
    form = parse_qs(body.decode())
    expand = _is_true(form, "expand")
    return _json([entry(repo, path, files[path], expand=expand) for path in form.get("paths", []) if path in files])


def _models(hub: HuggingFace, asked: Asked, body: bytes) -> _Answer:
    text, pipeline, sort = (asked.query.get(name, [""])[0] for name in ("search", "pipeline_tag", "sort"))
    each = (told(repo, repo.head) for repo in hub.repos.values() if not repo.private)
    found = [
        one
        for one in each
        if text.lower() in one["id"].lower()
        and set(asked.query.get("filter", [])) <= set(one["tags"])
        and pipeline in ("", one["pipeline_tag"])
    ]
    ordered = sorted(found, key=lambda one: one[sort], reverse=True) if sort else found
    return _paged(hub, asked, [_expanded(one, asked) for one in ordered])


def _paged(hub: HuggingFace, asked: Asked, entries: list[dict[str, Any]]) -> _Answer:
    start = int(asked.query.get("cursor", ["0"])[0])
    step = min(hub.page, int(asked.query.get("limit", [hub.page])[0]))
    again = urlencode({**asked.query, "cursor": start + step}, doseq=True)
    link = {"Link": f'<{hub.url}{asked.path}?{again}>; rel="next"'} if start + step < len(entries) else {}
    return _json(entries[start : start + step], **link)


def _refs(hub: HuggingFace, asked: Asked, body: bytes, name: str) -> _Answer:
    repo = hub.visible(name, asked)
    named = [{"name": one, "ref": f"refs/heads/{one}", "targetCommit": to} for one, to in repo.revisions.items()]
    return _json({"branches": named, "converts": [], "tags": [], "pullRequests": []})


def _commits(hub: HuggingFace, asked: Asked, body: bytes, name: str, revision: str) -> _Answer:
    repo = hub.visible(name, asked)
    each = list(repo.commits)[: list(repo.commits).index(_commit(repo, revision)) + 1]
    rows = [{"id": one, "title": "upload", "message": "", "authors": [], "date": repo.dates[one]} for one in each]
    return _paged(hub, asked, rows[::-1])


def _auth_check(hub: HuggingFace, asked: Asked, body: bytes, name: str) -> _Answer:
    hub.open_to(hub.visible(name, asked), asked)
    return _json({})


def _resolve(hub: HuggingFace, asked: Asked, body: bytes, name: str, revision: str, path: str) -> _Answer:
    repo = hub.visible(name, asked)
    hub.open_to(repo, asked)
    commit = _commit(repo, revision)
    content = repo.commits[commit].get(path)
    if content is None:
        return _error(404, "EntryNotFound", "Entry not found")
    headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
    if not is_large(path):
        return _Answer(200, {**headers, "ETag": f'"{blob(content)}"', "Content-Type": "text/plain"}, content)
    sha256 = hashlib.sha256(content).hexdigest()
    kind = "image/png" if path.endswith(".png") else "application/octet-stream"
    hub.storage.put(sha256, content, etag=f'"{sha256[:32]}"', signed=True, type=kind)
    if hub.xet:
        headers |= {"X-Xet-Hash": sha256, "X-Xet-Refresh-Route": f"{hub.url}/api/models/{name}/xet-read-token/{commit}"}
    headers |= {"X-Linked-ETag": f'"{sha256}"', "X-Linked-Size": str(len(content))}
    return _Answer(302, headers | {"Location": hub.storage.sign(sha256)})


_REPO = r"/api/models/([^/]+/[^/]+)"
_ROUTES: Mapping[str, Callable[..., _Answer]] = {
    r"/api/whoami-v2": _whoami,
    r"/api/models": _models,
    rf"{_REPO}": _info,
    rf"{_REPO}/revision/([^/]+)": _info,
    rf"{_REPO}/tree/([^/]+)(?:/(.+))?": _tree,
    rf"{_REPO}/paths-info/([^/]+)": _paths,
    rf"{_REPO}/refs": _refs,
    rf"{_REPO}/commits/([^/]+)": _commits,
    rf"{_REPO}/auth-check": _auth_check,
    r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)": _resolve,
}


def _handler(hub: HuggingFace) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle(self) -> None:
            with suppress(ConnectionError):  # a client may hang up whenever it likes
                super().handle()

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            sent = self.headers.get("Authorization")
            token = sent.removeprefix("Bearer ") if sent else None
            asked = Asked(self.command, path, parse_qs(query), token, self.headers.get("User-Agent", ""))
            answer = hub.answer(asked, body)
            self.send_response(answer.status)
            for name, value in _measured(answer, self.headers.get("Range")):
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *about: object) -> None:
            pass

    return Handler


def _measured(answer: _Answer, wanted: str | None) -> Iterator[tuple[str, str]]:
    """Its headers; a part where a part of a small file is asked for."""
    if answer.status == 200 and wanted and "ETag" in answer.headers and (found := re.match(r"bytes=(\d+)-", wanted)):
        start, whole = int(found[1]), len(answer.body)
        answer.status, answer.body = 206, answer.body[start:]
        yield "Content-Range", f"bytes {start}-{whole - 1}/{whole}"
    yield from answer.headers.items()
    yield "Content-Length", str(len(answer.body))
