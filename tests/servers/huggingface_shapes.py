"""A repository at HuggingFace, and what the hub's API says of it, in its real shapes."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Repo", "blob", "entry", "is_large", "sibling", "told"]

_LARGE = (".safetensors", ".ckpt", ".bin", ".pt", ".pth", ".gguf", ".onnx", ".msgpack", ".png")
_FIRST = "2026-01-01T12:00:00.000Z"


@dataclass
class Repo:
    """A repository; change it as you like between two requests."""

    name: str
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Oldest first: commit -> path -> content."""
    revisions: dict[str, str] = field(default_factory=dict)
    """Branch, tag or ``refs/pr/1`` -> commit."""
    tags: list[str] = field(default_factory=list)
    card: dict[str, Any] = field(default_factory=dict)
    gated: str | bool = False
    """``auto`` or ``manual``."""
    private: bool = False
    disabled: bool = False
    members: set[str] = field(default_factory=set)
    """Users who may see what is private, and have what is gated."""
    scans: dict[str, str] = field(default_factory=dict)
    """Path -> ``unsafe``, ``queued``, ...; a file that is not named is ``safe``."""
    pipeline: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    widget: list[dict[str, Any]] = field(default_factory=list)
    downloads: int = 0
    likes: int = 0
    dates: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> str:
        return self.revisions["main"]


def told(repo: Repo, commit: str) -> dict[str, Any]:
    """Of the whole repository."""
    return {
        "id": repo.name,
        "modelId": repo.name,
        "author": repo.name.split("/")[0],
        "sha": commit,
        "private": repo.private,
        "gated": repo.gated,
        "disabled": repo.disabled,
        "downloads": repo.downloads,
        "likes": repo.likes,
        "tags": _tags(repo),
        "pipeline_tag": repo.pipeline,
        "createdAt": _FIRST,
        "lastModified": repo.dates[commit],
        "cardData": repo.card,
        "config": repo.config,
        "widgetData": repo.widget,
        "usedStorage": sum(map(len, repo.commits[commit].values())),
    }


def _tags(repo: Repo) -> list[str]:
    said = [f"license:{repo.card['license']}"] if "license" in repo.card else []
    bases = repo.card.get("base_model", [])
    return [*repo.tags, *said, *(f"base_model:{one}" for one in ([bases] if isinstance(bases, str) else bases))]


def sibling(path: str, content: bytes, *, blobs: bool) -> dict[str, Any]:
    """Of the files that come with a whole repository."""
    more = {"size": len(content), "blobId": blob(content), **_lfs(path, content, "sha256")}
    return {"rfilename": path, **(more if blobs else {})}


def entry(repo: Repo, path: str, content: bytes, *, expand: bool) -> dict[str, Any]:
    """Of a tree."""
    told = {"type": "file", "path": path, "size": len(content), "oid": blob(content), **_lfs(path, content)}
    if not expand:
        return told
    status = repo.scans.get(path, "safe")
    scan = {"status": status, "avScan": {"status": status}, "pickleImportScan": None}
    since = next(commit for commit, files in repo.commits.items() if files.get(path) == content)
    last = {"id": since, "title": "upload", "date": repo.dates[since]}
    return told | {"lastCommit": last, "securityFileStatus": scan}


def blob(content: bytes) -> str:
    """Git's name for it."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _lfs(path: str, content: bytes, name: str = "oid") -> dict[str, Any]:
    if not is_large(path):
        return {}
    return {"lfs": {name: hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}}


def is_large(path: str) -> bool:
    """Whether it lies in a storage beside the hub."""
    return path.endswith(_LARGE)
