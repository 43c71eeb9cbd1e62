"""Runs: what was executed, with what, by which process, and what came of it. Lineage is a query over them."""

import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, insert, select, update

from modelhub.catalog import tables
from modelhub.catalog.nouns import Image, Lineage, Run
from modelhub.catalog.pictures import image
from modelhub.catalog.rows import inserted, now, selected, versioned
from modelhub.errors import NotFound
from modelhub.processes import alive, started

__all__ = ["abandoned", "add_inputs", "begin", "finish", "forget", "latest", "lineage_of", "made", "maker_of"]
__all__ += ["one_run", "products", "resume"]

_R = tables.run.c


def begin(connection: Connection, kind: str, payload: Mapping[str, Any], inputs: Sequence[tuple[str, int]]) -> int:
    row = {"kind": kind, "payload": versioned(payload), "state": "running", "started_at": now()}
    process = {"pid": os.getpid(), "process_started": started()}
    run_id = inserted(connection, insert(tables.run).values(**row, **process))
    _link(connection, run_id, "in", inputs)
    return run_id


def add_inputs(connection: Connection, run_id: int, inputs: Sequence[tuple[str, int]]) -> None:
    _link(connection, run_id, "in", inputs)


def resume(connection: Connection, run_id: int) -> None:
    process = {"pid": os.getpid(), "process_started": started()}
    again = update(tables.run).where(_R.id == run_id)
    connection.execute(again.values(state="running", error=None, finished_at=None, **process))


def finish(connection: Connection, run_id: int, state: str, outputs: Sequence[int], error: str | None) -> None:
    ended = update(tables.run).where(_R.id == run_id).values(state=state, error=error, finished_at=now())
    connection.execute(ended)
    made(connection, run_id, outputs)


def made(connection: Connection, run_id: int, outputs: Sequence[int]) -> None:
    _link(connection, run_id, "out", [("result", artifact_id) for artifact_id in outputs])


def one_run(connection: Connection, run_id: int, root: Path) -> Run:
    found = _runs(connection, _R.id == run_id, root)
    if not found:
        raise NotFound(f"the catalog holds no run {run_id}", mend="modelhub train runs")
    return found[0]


def latest(connection: Connection, kind: str, root: Path) -> Run | None:
    newest = select(_R.id).where(_R.kind == kind).order_by(_R.id.desc()).limit(1)
    run_id = connection.scalar(newest)
    return one_run(connection, run_id, root) if run_id else None


def maker_of(connection: Connection, artifact_id: int, root: Path) -> Run | None:
    made_by = _runs(connection, _R.id.in_(_linked(artifact_id, "out")), root)
    return made_by[0] if made_by else None


def lineage_of(connection: Connection, artifact_id: int, root: Path, *, newest: int | None = None) -> Lineage:
    """All that used it, or no more than the `newest`: a base model may have drawn very many pictures."""
    used = _linked(artifact_id, "in").distinct().order_by(tables.run_artifact.c.run_id.desc()).limit(newest)
    used_by = _runs(connection, _R.id.in_(used), root)
    return Lineage(maker_of(connection, artifact_id, root), used_by)


def products(connection: Connection, kind: str) -> frozenset[int]:
    """Catalog IDs of all that runs of that kind have made."""
    link = tables.run_artifact.c
    made_so = select(link.artifact_id).join(tables.run, _R.id == link.run_id)
    return frozenset(connection.scalars(made_so.where(_R.kind == kind, link.direction == "out")))


def abandoned(connection: Connection) -> tuple[tuple[int, str], ...]:
    """Number and kind of the runs that say they are running, and whose process is gone."""
    running = connection.execute(select(tables.run).where(_R.state == "running"))
    return tuple((row.id, row.kind) for row in running if not alive(row.pid, row.process_started))


def forget(connection: Connection, run_id: int) -> None:
    """Drop a run that used and made nothing."""
    connection.execute(delete(tables.run).where(_R.id == run_id))


def _link(connection: Connection, run_id: int, direction: str, links: Sequence[tuple[str, int]]) -> None:
    rows = [{"run_id": run_id, "direction": direction, "role": role, "artifact_id": one} for role, one in links]
    if rows:
        connection.execute(insert(tables.run_artifact).prefix_with("OR IGNORE"), rows)


def _linked(artifact_id: int, direction: str) -> Any:
    link = tables.run_artifact.c
    return select(link.run_id).where(link.artifact_id == artifact_id, link.direction == direction)


def _runs(connection: Connection, condition: ColumnElement[bool], root: Path) -> tuple[Run, ...]:
    """In three queries, however many runs there are."""
    rows = connection.execute(select(tables.run).where(condition).order_by(_R.id.desc())).all()
    numbers = [row.id for row in rows]
    links = _by_run(connection, tables.run_artifact, "artifact_id", numbers)
    drawn = _by_run(connection, tables.image, "id", numbers)
    return tuple(_run(row, links[row.id], tuple(image(one, root) for one in drawn[row.id])) for row in rows)


def _by_run(connection: Connection, table: Table, order: str, numbers: Sequence[int]) -> Mapping[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(select(table).where(selected(table.c.run_id, numbers)).order_by(table.c[order])):
        found[row.run_id].append(row)
    return found


def _run(row: Row[Any], links: Sequence[Row[Any]], images: tuple[Image, ...]) -> Run:
    return Run(
        id=row.id,
        kind=row.kind,
        payload=json.loads(row.payload),
        state=row.state,
        inputs=tuple((link.role, link.artifact_id) for link in links if link.direction == "in"),
        outputs=tuple(link.artifact_id for link in links if link.direction == "out"),
        images=images,
        started_at=datetime.fromisoformat(row.started_at),
        finished_at=datetime.fromisoformat(row.finished_at) if row.finished_at else None,
        error=row.error,
    )
