"""How fast a catalog of 10,000 models and 100,000 pictures answers."""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from typing import Any

from sqlalchemy import Connection, Table, insert, text

from benchmarks._figure import Figure, seconds_in_turn
from modelhub.catalog import Catalog, Query, tables
from modelhub.catalog.rows import facts_json, now, reindex
from modelhub.kinds import Facts, Kind
from modelhub.workspace import Workspace

_MODELS = 10_000
_RUNS = 10_000
_PICTURES = 100_000
_CALLS = 60
_STYLES = ("anime", "watercolor", "portrait", "robot", "castle", "cinematic", "pixel-art", "水墨", "赛博朋克", "写实")
_TAGS = ("style", "character", "draft", "favourite", "人物", "风格")
_FAMILIES = ("sd1", "sd2", "sdxl", "flux1")
_KINDS = (Kind.LORA, Kind.LORA, Kind.LORA, Kind.CHECKPOINT, Kind.EMBEDDING, Kind.VAE)
_PHRASES = (
    "masterpiece", "best quality", "highly detailed", "a castle on a hill", "a red robot", "portrait of a girl",
    "white hair", "blue eyes", "sunset over the ocean", "neon city", "watercolor painting", "soft light", "bokeh",
    "双马尾", "白发少女", "水墨山水", "城堡", "星空下的机器人", "樱花", "古风汉服",
)  # fmt: skip
_NEGATIVE = "lowres, bad anatomy, bad hands, text, error, missing fingers, extra digit, cropped, worst quality"


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, Catalog.create(Workspace(Path(folder))) as catalog:
        _fill(catalog)
        yield from _models(catalog)
        yield from _pictures(catalog)
        yield from _commands(Path(folder))


def _models(catalog: Catalog) -> Iterator[Figure]:
    digest = _digests(4321)["sha256"]
    queries = [
        Query("robot", (Kind.LORA,), "sdxl", limit=50),
        Query("model 水墨", tag="style", limit=50),
        Query("水", (Kind.LORA,), limit=50),
        Query("ki 77", limit=50),
        Query("trigger watercolor favourite", limit=50),
        Query("nothing-is-called-so", limit=50),
    ]
    asked = cycle(queries)
    yield Figure("models: words with filters, p95", _p95(lambda: catalog.search(next(asked))), "ms", at_most=25)
    yield Figure("models: by digest, p95", _p95(lambda: catalog.find_digest(digest)), "ms", at_most=1)
    yield Figure("models: a digest resolved to its artifact, p95", _p95(lambda: catalog.resolve(digest[:12])), "ms")
    yield Figure("models: the newest 50 listed, p95", _p95(lambda: catalog.list(Query(limit=50))), "ms")


def _pictures(catalog: Catalog) -> Iterator[Figure]:
    cases = {
        "a word": "castle",
        "three words": "castle 双马尾 bokeh",
        "two Chinese characters": "水墨",
        "one Chinese character": "墨",
        "two rare Chinese characters": "凤凰",
        "two letters": "ro",
        "one letter": "e",
        "nothing": "qq zq",
    }
    for name, words in cases.items():
        p95 = _p95(lambda words=words: catalog.pictures.search(words, limit=50))  # type: ignore[misc]
        yield Figure(f"pictures: {name}, p95", p95, "ms", at_most=150)
    yield Figure("pictures: those of one model, p95", _p95(lambda: catalog.pictures.uses(17)), "ms")
    path = catalog.workspace.outputs / "77777.png"
    yield Figure("pictures: by path, p95", _p95(lambda: catalog.pictures.at(path)), "ms")


def _commands(home: Path) -> Iterator[Figure]:
    """As whole processes that find their bytecode, as an installed package does."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ |= {"MODELHUB_HOME": str(home), "PYTHONPYCACHEPREFIX": str(home / "bytecode")}

    def python(*arguments: str) -> Callable[[], object]:
        command = [sys.executable, *arguments]
        return lambda: subprocess.run(command, check=True, capture_output=True, env=environ)

    ls, search = python("-m", "cli", "ls"), python("-m", "cli", "search", "水墨")
    bare, listed, searched = seconds_in_turn(9, python("-c", "pass"), ls, search)
    yield Figure(f"modelhub ls of {_MODELS:,} / bare interpreter", listed / bare, "x", at_most=40)
    yield Figure(f"modelhub search of {_MODELS:,} / bare interpreter", searched / bare, "x", at_most=40)


def _p95(call: Callable[[], object]) -> float:
    """Milliseconds of the processor: with the files in memory nothing waits, and other work does not show."""
    taken = []
    for _ in range(_CALLS):
        begun = time.process_time()
        call()
        taken.append(1000 * (time.process_time() - begun))
    return quantiles(taken, n=20)[-1]


def _fill(catalog: Catalog) -> None:
    """Straight into the tables: as many files would take hours to write."""
    chance = random.Random(1)
    with catalog._database.writing() as connection:
        _fill_models(connection, chance)
        _fill_pictures(connection, chance)


def _fill_models(connection: Connection, chance: random.Random) -> None:
    numbers = range(1, _MODELS + 1)
    _insert(connection, tables.artifact, [_artifact(number, chance) for number in numbers])
    _insert(connection, tables.location, [_location(number) for number in numbers])
    digests = [(number, each) for number in numbers for each in _digests(number).items()]
    _insert(connection, tables.digest, [{"artifact_id": n, "algorithm": name, "value": v} for n, (name, v) in digests])
    _insert(connection, tables.alias, [{"artifact_id": n, "alias": f"file_{n:05d}_v{n % 7}"} for n in numbers])
    tags = [(n, tag) for n in numbers for tag in chance.sample(_TAGS, 2)]
    _insert(connection, tables.tag, [{"artifact_id": n, "tag": tag} for n, tag in tags])
    words = [{"artifact_id": n, "word": f"trigger{n % 500}", "source": "header"} for n in numbers]
    _insert(connection, tables.word, words)
    for number in numbers:
        reindex(connection, number)


def _artifact(number: int, chance: random.Random) -> dict[str, Any]:
    kind, family, style = chance.choice(_KINDS), chance.choice(_FAMILIES), chance.choice(_STYLES)
    name = f"model-{number:05d}-{style}"
    facts = facts_json(Facts(kind=kind, family=family, format="safetensors/kohya", rank=16))
    row = {"id": number, "name": name, "kind": kind, "family": family, "facts": facts, "added_at": now()}
    return {**row, "note": f"a {style} model to try with {chance.choice(_PHRASES)}", "identified_by": 1}


def _location(number: int) -> dict[str, Any]:
    row = {"artifact_id": number, "path": f"models/lora/file_{number:05d}.safetensors", "size": 1000 + number}
    return {**row, "mtime_ns": number, "state": "present"}


def _digests(number: int) -> dict[str, str]:
    sha256 = random.Random(number).randbytes(32).hex()
    return {"sha256": sha256, "autov1": sha256[20:28], "autov2": sha256[:10], "autov3": sha256[30:42]}


def _fill_pictures(connection: Connection, chance: random.Random) -> None:
    run = {"kind": "generate", "payload": '{"schema": 1}', "state": "done", "pid": 1, "process_started": ""}
    _insert(connection, tables.run, [{"id": n, **run, "started_at": now()} for n in range(1, _RUNS + 1)])
    used = [
        {"run_id": n, "direction": "in", "role": role, "artifact_id": artifact_id}
        for n in range(1, _RUNS + 1)
        for role, artifact_id in (("model", 1 + n % 20), ("lora", chance.randint(21, _MODELS)))
    ]
    _insert(connection, tables.run_artifact, used)
    pictures = [_picture(number, chance) for number in range(1, _PICTURES + 1)]
    _insert(connection, tables.image, pictures)
    connection.execute(text("INSERT INTO image_search (rowid, infotext) SELECT id, infotext || '  ' FROM image"))


def _picture(number: int, chance: random.Random) -> dict[str, Any]:
    prompt = ", ".join(chance.choices(_PHRASES, k=12)) + (", 凤凰" if number % 5000 == 7 else "")
    seed = chance.randrange(1 << 32)
    infotext = f"{prompt}\nNegative prompt: {_NEGATIVE}\nSteps: 20, Sampler: DPM++ 2M, CFG scale: 7, Seed: {seed}"
    row = {"id": number, "run_id": 1 + number % _RUNS, "path": f"outputs/{number:05d}.png", "infotext": infotext}
    return {**row, "sha256": f"{number:064x}", "width": 512, "height": 768, "made_at": now()}


def _insert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    connection.execute(insert(table), rows)
