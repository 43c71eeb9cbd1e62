"""Runs: what was executed, with what, by which process, and what came of it. Lineage is a query over them."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, text, update

from modelhub.catalog import tables
from modelhub.catalog.nouns import Image, Lineage, Run
from modelhub.catalog.places import read_place
from modelhub.catalog.rows import inserted, now, versioned
from modelhub.errors import NotFound
from modelhub.processes import alive, started

__all__ = ["abandoned", "begin", "finish", "latest", "lineage_of", "one_run", "record_image", "resume"]

_R = tables.run.c


def begin(connection: Connection, kind: str, payload: Mapping[str, Any], inputs: Sequence[tuple[str, int]]) -> int:
    row = {"kind": kind, "payload": versioned(payload), "state": "running", "started_at": now()}
    process = {"pid": os.getpid(), "process_started": started()}
    run_id = inserted(connection, insert(tables.run).values(**row, **process))
    _link(connection, run_id, "in", inputs)
    return run_id


def resume(connection: Connection, run_id: int) -> None:
    process = {"pid": os.getpid(), "process_started": started()}
    again = update(tables.run).where(_R.id == run_id)
    connection.execute(again.values(state="running", error=None, finished_at=None, **process))


def finish(connection: Connection, run_id: int, state: str, outputs: Sequence[int], error: str | None) -> None:
    ended = update(tables.run).where(_R.id == run_id).values(state=state, error=error, finished_at=now())
    connection.execute(ended)
    _link(connection, run_id, "out", [("result", artifact_id) for artifact_id in outputs])


def record_image(connection: Connection, row: Mapping[str, Any]) -> int:
    """Write down a picture, to be found by every word of its infotext."""
    image_id = inserted(connection, insert(tables.image).values(**row, made_at=now()))
    indexed = text("INSERT INTO image_search (rowid, infotext) VALUES (:id, :infotext)")
    connection.execute(indexed, {"id": image_id, "infotext": row["infotext"]})
    return image_id


def one_run(connection: Connection, run_id: int, root: Path) -> Run:
    found = _runs(connection, _R.id == run_id, root)
    if not found:
        raise NotFound(f"the catalog holds no run {run_id}", mend="modelhub show REF")
    return found[0]


def latest(connection: Connection, kind: str, root: Path) -> Run | None:
    newest = select(_R.id).where(_R.kind == kind).order_by(_R.id.desc()).limit(1)
    run_id = connection.scalar(newest)
    return one_run(connection, run_id, root) if run_id else None


def lineage_of(connection: Connection, artifact_id: int, root: Path) -> Lineage:
    made_by = _runs(connection, _R.id.in_(_linked(artifact_id, "out")), root)
    used_by = _runs(connection, _R.id.in_(_linked(artifact_id, "in")), root)
    return Lineage(made_by[0] if made_by else None, used_by)


def abandoned(connection: Connection) -> tuple[int, ...]:
    """The runs that say they are running, and whose process is gone."""
    running = connection.execute(select(tables.run).where(_R.state == "running"))
    return tuple(row.id for row in running if not alive(row.pid, row.process_started))


def _link(connection: Connection, run_id: int, direction: str, links: Sequence[tuple[str, int]]) -> None:
    rows = [{"run_id": run_id, "direction": direction, "role": role, "artifact_id": one} for role, one in links]
    if rows:
        connection.execute(insert(tables.run_artifact).prefix_with("OR IGNORE"), rows)


def _linked(artifact_id: int, direction: str) -> Any:
    link = tables.run_artifact.c
    return select(link.run_id).where(link.artifact_id == artifact_id, link.direction == direction)


def _runs(connection: Connection, condition: ColumnElement[bool], root: Path) -> tuple[Run, ...]:
    rows = connection.execute(select(tables.run).where(condition).order_by(_R.id.desc())).all()
    return tuple(_run(connection, row, root) for row in rows)


def _run(connection: Connection, row: Row[Any], root: Path) -> Run:
    links, images = tables.run_artifact, tables.image
    of_run = connection.execute(select(links).where(links.c.run_id == row.id).order_by(links.c.artifact_id)).all()
    drawn = connection.execute(select(images).where(images.c.run_id == row.id).order_by(images.c.id)).all()
    return Run(
        id=row.id,
        kind=row.kind,
        payload=json.loads(row.payload),
        state=row.state,
        inputs=tuple((link.role, link.artifact_id) for link in of_run if link.direction == "in"),
        outputs=tuple(link.artifact_id for link in of_run if link.direction == "out"),
        images=tuple(_image(one, root) for one in drawn),
        started_at=datetime.fromisoformat(row.started_at),
        finished_at=datetime.fromisoformat(row.finished_at) if row.finished_at else None,
        error=row.error,
    )


def _image(row: Row[Any], root: Path) -> Image:
    made_at = datetime.fromisoformat(row.made_at)
    return Image(
        row.id, row.run_id, read_place(root, row.path), row.sha256, row.width, row.height, row.infotext, made_at
    )
