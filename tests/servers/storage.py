"""A file server on this machine that fails on demand, as storages behind hubs do.

with Storage() as storage:
    url = storage.put("kip.safetensors", content, etag='"one"')
    storage.faults += [status(503), cut(1000)]  # the first request gets the one, the second the other
    ...
    assert storage.requests[1].headers["Range"] == "bytes=1000-"
"""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

__all__ = ["Asked", "Exchange", "Fault", "Held", "Storage"]


@dataclass(frozen=True)
class Held:
    """A file of the server."""

    content: bytes
    etag: str = ""
    """With its quotation marks."""
    modified: str = ""
    type: str = "application/octet-stream"
    signed: bool = False
    """Whether it is given only for an address from `Storage.sign`."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: str
    headers: Message
    """Names in any case."""


class Storage:
    """Use it in a ``with``."""

    def __init__(self) -> None:
        self.files: dict[str, Held] = {}
        self.requests: list[Asked] = []
        self.faults: list[Fault] = []
        """What becomes of the next GETs that a file answers, one each, in turn."""
        self.always: Fault | None = None
        """What becomes of every GET that has no fault of its own."""
        self.refuses_tokens = False
        """Whether a request with both a signature in its address and a token is refused with 400, as R2 does."""
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._signatures: set[str] = set()
        self._count = 0
        self._server = _Server(("127.0.0.1", 0), _handler(self))

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def put(self, path: str, content: bytes, **about: object) -> str:
        """Hold `content` (and what `Held` says of it) at `path`; returns its address."""
        self.files["/" + path.lstrip("/")] = Held(content, **about)  # type: ignore[arg-type]
        return f"{self.origin}/{path.lstrip('/')}"

    def sign(self, path: str) -> str:
        """An address that serves a `signed` file until `expire`."""
        with self._lock:
            self._count += 1
            self._signatures.add(signature := f"X-Amz-Signature=s{self._count}")
        return f"{self.origin}/{path.lstrip('/')}?{signature}"

    def expire(self) -> None:
        """No address that was signed so far is any good from now on."""
        self._signatures.clear()

    def ranges(self) -> list[str | None]:
        """What part each GET asked for."""
        return [one.headers["Range"] for one in self.requests if one.method == "GET"]

    def __enter__(self) -> "Storage":
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, exchange: "Exchange") -> None:
        with self._lock:
            self.requests.append(exchange.asked)
        if self.refuses_tokens and exchange.asked.query and exchange.asked.headers["Authorization"]:
            exchange.send(400, {}, b"<Error><Code>InvalidArgument</Code></Error>")
        elif exchange.held is None:
            exchange.send(404, {}, b"no such file")
        elif exchange.held.signed and exchange.asked.query not in self._signatures:
            exchange.send(403, {"Content-Type": "application/xml"}, b"<Error>Request has expired</Error>")
        elif exchange.asked.method == "GET" and (fault := self._next_fault()):
            fault(exchange)
        else:
            exchange.send(*exchange.right())

    def _next_fault(self) -> "Fault | None":
        with self._lock:
            return self.faults.pop(0) if self.faults else self.always


class Exchange:
    """One request with the answer that it is about to get."""

    def __init__(self, storage: Storage, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        self.storage = storage
        self.asked = Asked(handler.command, unquote(parts.path), parts.query, handler.headers)
        self.held = storage.files.get(self.asked.path)
        self.handler = handler

    def right(self) -> tuple[int, dict[str, str], bytes]:
        """The answer of a server that does all as it should: status, headers, body."""
        assert self.held
        start, stop, size = *self._wanted(), len(self.held.content)
        if start is None:
            return 200, self.described(size), self.held.content
        if start >= size:
            return 416, {"Content-Range": f"bytes */{size}"}, b""
        stop = min(stop or size, size)
        headers = self.described(stop - start) | {"Content-Range": f"bytes {start}-{stop - 1}/{size}"}
        return 206, headers, self.held.content[start:stop]

    def described(self, length: int) -> dict[str, str]:
        assert self.held
        about = {"ETag": self.held.etag, "Last-Modified": self.held.modified, "Content-Type": self.held.type}
        return {name: value for name, value in about.items() if value} | {
            "Content-Length": str(length),
            "Accept-Ranges": "bytes",
            **self.held.headers,
        }

    def send(self, status: int, headers: Mapping[str, str], body: bytes, *, promised: int | None = None) -> None:
        """Send an answer that promises more than it holds where told so; the connection ends then."""
        self.begin(status, {"Content-Length": str(len(body)), **headers})
        if self.asked.method != "HEAD":
            self.write(body)
        if promised is not None:
            self.handler.close_connection = True

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()

    def write(self, body: bytes) -> None:
        self.handler.wfile.write(body)

    def close(self) -> None:
        self.handler.close_connection = True

    def _wanted(self) -> tuple[int | None, int | None]:
        assert self.held
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.asked.headers["Range"] or "")
        condition = self.asked.headers["If-Range"]
        if not found or (condition and condition not in (self.held.etag, self.held.modified)):
            return None, None
        return int(found[1]), int(found[2]) + 1 if found[2] else None


Fault = Callable[[Exchange], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are part of the play."""


def _handler(storage: Storage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            try:
                storage.answer(Exchange(storage, self))
            except ConnectionError:
                self.close_connection = True

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    return Handler
