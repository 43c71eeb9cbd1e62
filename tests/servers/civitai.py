"""A Civitai on loopback that speaks the real protocol; what it offers is plain dicts in the real shapes.

    with Civitai() as hub:
        model = hub.model(name="Kip", type="LORA")
        version = hub.version(model, files=[hub.file(b"...", name="kip.safetensors")], trainedWords=["kip"])
        settings = hub.settings            # of a client that talks to it; `hub.environ` says the same to a command
        hub.post(version, hub.image(meta={"prompt": "kip"}))   # in the gallery, by somebody else
        del hub.models[model["id"]]        # deleted by its author
        hub.once("/api/v1/models/", 503)   # answers one question so, then goes on as usual
        hub.requests                       # all that it was asked

Downloads are redirected to a storage on another port, whose links expire, and which refuses a token.
"""

import json
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from modelhub.settings import HubSettings
from tests.servers.civitai_answers import Answer, Asked, answered
from tests.servers.civitai_shapes import BASES, TYPES, hashes
from tests.servers.storage import Storage

__all__ = ["Answer", "Asked", "Civitai"]

Json = dict[str, Any]
_MODEL, _VERSION, _FILE = 1_000, 20_000, 300_000
"""Where their numbers begin, so that no test confuses them."""
_FIRST_DAY = date(2025, 1, 1)


@dataclass
class Civitai:
    """Use it in a ``with``. Change what it holds at any time."""

    tokens: dict[str, str] = field(default_factory=dict)
    """Token -> whose it is."""
    needs_token: bool = False
    """Whether downloads do."""
    seed: int | None = None
    """Let the shapes of its answers drift at random."""
    is_for_all_ages: bool = False
    """Whether its lists name nothing for adults, whatever is asked: so does civitai.com."""
    page_size: int = 100
    """Models in one answer, at most."""

    def __post_init__(self) -> None:
        self.models: dict[int, Json] = {}
        self.contents: dict[int, bytes] = {}
        """Of pictures."""
        self.posted: dict[int, list[Json]] = {}
        """Pictures that others made with a version, by its number."""
        self.bases, self.types = list(BASES), list(TYPES)
        """What it lists, and takes in a search."""
        self.requests: list[Asked] = []
        self._numbers = {start: count(start + 1) for start in (_MODEL, _VERSION, _FILE)}
        self._once: list[tuple[str, Answer]] = []
        self.chance = random.Random(self.seed)
        self.storage = Storage()
        """Where downloads are redirected to; `expire` its links, add `faults` to it."""
        self.storage.refuses_tokens = True
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        self.storage.__enter__()
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.storage.__exit__()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def settings(self) -> HubSettings:
        return HubSettings(civitai=self.url, trust_mirrors=True)

    @property
    def environ(self) -> dict[str, str]:
        return {"MODELHUB_CIVITAI": self.url, "MODELHUB_TRUST_MIRRORS": "1"}

    # What it offers

    def model(self, **fields: Any) -> Json:
        """A new model, without versions."""
        number = next(self._numbers[_MODEL])
        permissions = {"allowNoCredit": True, "allowCommercialUse": ["Image", "RentCivit"], "allowDerivatives": True}
        made = {"id": number, "name": "Kip", "type": "LORA", "nsfw": False, "nsfwLevel": 1, "tags": ["robot"]}
        made |= {"description": "<p>A <b>robot</b></p>", "creator": {"username": "ada"}, "stats": {"downloadCount": 7}}
        self.models[number] = {**made, **permissions, "allowDifferentLicense": False, "modelVersions": [], **fields}
        return self.models[number]

    def version(self, model: Json, *, files: Sequence[Json] = (), **fields: Any) -> Json:
        """A new version of `model`: the newest, unless `publishedAt` says otherwise."""
        number = next(self._numbers[_VERSION])
        count_so_far = len(model["modelVersions"])
        day = f"{_FIRST_DAY + timedelta(days=count_so_far)}T00:00:00.000Z"
        made = {"id": number, "modelId": model["id"], "name": f"v{count_so_far + 1}", "publishedAt": day}
        made |= {"baseModel": "SD 1.5", "status": "Published", "availability": "Public", "usageControl": "Download"}
        made |= {"trainedWords": [], "images": [], "paidAccess": None, "files": list(files), "stats": {}}
        link = f"{self.url}/api/download/models/{number}"
        for file in files:
            file["downloadUrl"] = link if file is files[0] else f"{link}?type=Model&format=SafeTensor"
        model["modelVersions"].insert(0, {**made, "downloadUrl": link, **fields})
        return model["modelVersions"][0]  # type: ignore[no-any-return]

    def file(self, content: bytes, *, name: str = "kip.safetensors", **fields: Any) -> Json:
        """A file with these bytes, and with all its digests."""
        number = next(self._numbers[_FILE])
        self.storage.put(f"{number}/{name}", content, etag=f'"{number}"', signed=True)
        made = {"id": number, "name": name, "type": "Model", "sizeKB": len(content) / 1024, "primary": True}
        made |= {"metadata": {"format": "SafeTensor", "size": "pruned", "fp": "fp16"}, "hashes": hashes(content)}
        return {**made, "pickleScanResult": "Success", "virusScanResult": "Success", **fields}

    def image(self, content: bytes = b"", **fields: Any) -> Json:
        """A picture of a version."""
        number = next(self._numbers[_FILE])
        self.contents[number] = content
        url = f"{self.url}/picture/{number}/original=true/{number}.jpeg"
        return {"id": number, "url": url, "type": "image", "nsfwLevel": 1, "width": 512, "height": 768, **fields}

    def post(self, version: Json, *images: Json) -> None:
        """Show these in the gallery of a version, beside its own."""
        self.posted.setdefault(version["id"], []).extend(images)

    def once(self, path: str, status: int, body: Any = None, **headers: str) -> None:
        """Answer the next request whose path begins so with this, and not as usual."""
        self._once.append((path, Answer(status, body, {name.replace("_", "-"): one for name, one in headers.items()})))

    # How it answers

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.requests.append(asked)
            return self._canned(asked) or answered(self, asked)

    def _canned(self, asked: Asked) -> Answer | None:
        found = next((each for each in self._once if asked.path.startswith(each[0])), None)
        if found:
            self._once.remove(found)
        return found[1] if found else None


def _handler(hub: Civitai) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            held = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): one for name, one in self.headers.items()}
            asked = Asked(self.command, parts.path, parse_qs(parts.query), headers, json.loads(held) if held else None)
            self._send(hub.answer(asked))

        do_POST = do_HEAD = do_GET  # noqa: N815  the names that the server asks for

        def _send(self, answer: Answer) -> None:
            kind, body = _written(answer.body)
            self.send_response(answer.status)
            for name, one in {"Content-Type": kind, "Content-Length": str(len(body)), **answer.headers}.items():
                self.send_header(name, one)
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _written(body: Any) -> tuple[str, bytes]:
    if isinstance(body, bytes):
        return "application/octet-stream", body
    if isinstance(body, str):
        return "text/html; charset=utf-8", body.encode()
    return "application/json; charset=utf-8", b"" if body is None else json.dumps(body).encode()
