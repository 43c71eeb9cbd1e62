"""`python _clients.py NAME URL FILE`: download a small file, then this one, and tell what it cost; `serve FOLDER`."""

import hashlib
import json
import logging
import os
import resource
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

_CHUNK = 1 << 23


def modelhub() -> Callable[[str, Path], object]:
    from modelhub.jobs import drain
    from modelhub.network import Network
    from modelhub.transfer import Located, Wanted, fetch

    network = Network(allow=("127.0.0.1",))
    return lambda url, path: drain(fetch(Wanted(url, path, lambda: Located(url)), network=network))


def huggingface_hub() -> Callable[[str, Path], object]:
    from huggingface_hub.file_download import http_get

    logging.disable()

    def get(url: str, path: Path) -> None:
        with path.open("wb") as file:
            http_get(url, file)

    return get


def hashing(get: Callable[[str, Path], object]) -> Callable[[str, Path], object]:
    def both(url: str, path: Path) -> None:
        get(url, path)
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")

    return both


def bare() -> Callable[[str, Path], object]:
    """Nothing but the system calls and the digest: what no client can do without."""

    def get(url: str, path: Path) -> None:
        parts, buffer, sha256 = urlsplit(url), memoryview(bytearray(1 << 20)), hashlib.sha256()
        with socket.create_connection((parts.hostname, parts.port)) as source, path.open("wb", buffering=0) as file:
            source.sendall(f"GET {parts.path} HTTP/1.1\r\n\r\n".encode())
            while count := source.recv_into(buffer, len(buffer), socket.MSG_WAITALL):
                file.write(buffer[:count])
                sha256.update(buffer[:count])

    return get


CLIENTS: dict[str, Callable[[], Callable[[str, Path], object]]] = {
    "bare": bare,
    "modelhub": modelhub,
    "huggingface_hub": huggingface_hub,
    "huggingface_hub sha256": lambda: hashing(huggingface_hub()),
}


def cost(name: str, url: str, path: Path) -> dict[str, float]:
    get = CLIENTS[name]()
    get(url.rpartition("/")[0] + "/small.safetensors", path.with_name("small.safetensors"))
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    get(url, path)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "peak": after.ru_maxrss / 1024}


def serve(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=answer, args=(connection, folder), daemon=True).start()


def answer(connection: socket.socket, folder: Path) -> None:
    with connection, connection.makefile("rb") as lines:
        asked = lines.readline().split()
        while lines.readline().strip():
            pass
        with (folder / asked[1].decode().lstrip("/")).open("rb") as file:
            left = size = os.fstat(file.fileno()).st_size
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode())
            while asked[0] == b"GET" and left:
                left -= os.sendfile(connection.fileno(), file.fileno(), size - left, min(left, _CHUNK))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(Path(sys.argv[2]))
    else:
        print(json.dumps(cost(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
