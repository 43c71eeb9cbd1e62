"""Runs tell what made what, even when their process or their models are gone."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from modelhub.catalog import Catalog, tables
from modelhub.errors import BadValue, NameTaken, NotFound
from modelhub.kinds import Kind
from modelhub.workspace import Workspace
from tests.tables import tiny_lora, write


@pytest.fixture
def held(catalog: Catalog, tmp_path: Path) -> Catalog:
    for fill, name in enumerate(("base", "kip")):
        catalog.add(write(tmp_path / f"{name}.safetensors", tiny_lora(), fill=fill))
    return catalog


def test_a_run_tells_what_it_used_and_made(held: Catalog) -> None:
    number = held.begin_run("train", {"steps": 200}, [("base", 1)])
    assert held.run(number).state == "running"
    held.finish_run(number, outputs=[2])
    run = held.run(number)
    assert (run.kind, run.state, run.inputs, run.outputs) == ("train", "done", (("base", 1),), (2,))
    assert run.payload == {"schema": 1, "steps": 200}
    assert run.finished_at
    assert run.finished_at - run.started_at < timedelta(minutes=1)


def test_a_payload_keeps_its_own_schema(held: Catalog) -> None:
    assert held.run(held.begin_run("train", {"schema": 3})).payload == {"schema": 3}


def test_a_failed_run_keeps_its_error(held: Catalog) -> None:
    number = held.begin_run("train", {})
    held.finish_run(number, state="failed", error="the disk is full")
    assert (held.run(number).state, held.run(number).error) == ("failed", "the disk is full")


def test_a_run_can_go_on(held: Catalog) -> None:
    number = held.begin_run("train", {})
    held.finish_run(number, state="interrupted", error="stopped")
    held.resume_run(number)
    run = held.run(number)
    assert (run.state, run.error, run.finished_at) == ("running", None, None)


def test_the_last_run_of_a_kind_is_the_newest(held: Catalog) -> None:
    assert held.last_run("train") is None
    number = [held.begin_run(kind, {}) for kind in ("train", "train", "generate")][1]
    last = held.last_run("train")
    assert last
    assert last.id == number


def test_pictures_belong_to_their_run(held: Catalog, workspace: Workspace) -> None:
    number = held.begin_run("generate", {}, [("model", 1), ("lora", 2)])
    path = workspace.outputs / "1.png"
    image = held.pictures.record(number, path, sha256="ab", width=128, height=64, infotext="Steps: 20, 水")
    (drawn,) = held.run(number).images
    assert (drawn.id, drawn.path, drawn.width, drawn.height, drawn.infotext) == (image, path, 128, 64, "Steps: 20, 水")


def test_lineage_goes_both_ways(held: Catalog) -> None:
    made = held.begin_run("train", {}, [("base", 1)])
    held.finish_run(made, outputs=[2])
    used = [held.begin_run("generate", {}, [("model", 1), ("lora", 2)]) for _ in range(2)]
    base, kip = held.lineage(1), held.lineage(2)
    assert base.made_by is None
    assert [run.id for run in base.used_by] == [*reversed(used), made]
    assert kip.made_by
    assert kip.made_by.id == made
    assert [run.id for run in kip.used_by] == list(reversed(used))


def test_one_model_may_serve_in_two_roles(held: Catalog) -> None:
    number = held.begin_run("generate", {}, [("model", 1), ("vae", 1), ("model", 1)])
    assert sorted(held.run(number).inputs) == [("model", 1), ("vae", 1)]


def test_an_unknown_run_is_not_found(held: Catalog) -> None:
    with pytest.raises(NotFound, match="run 7"):
        held.run(7)


def test_a_run_must_use_models_that_exist(held: Catalog) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"):
        held.begin_run("generate", {}, [("model", 99)])
    assert held.lineage(1).used_by == ()


def test_the_run_of_a_dead_process_is_interrupted_by_the_next_to_open(held: Catalog, workspace: Workspace) -> None:
    dead, alive = held.begin_run("train", {}), held.begin_run("train", {})
    with held._database.writing() as connection:
        connection.execute(update(tables.run).where(tables.run.c.id == dead).values(process_started="1.00"))
    with Catalog.open(workspace) as opened:
        assert (opened.run(dead).state, opened.run(alive).state) == ("interrupted", "running")
        assert opened.run(dead).finished_at


@pytest.mark.parametrize(
    ("error", "state", "told"),
    [
        (None, "done", None),
        (ValueError("no such thing"), "failed", "no such thing"),
        (GeneratorExit(), "interrupted", None),
    ],
)
def test_a_recorded_block_tells_how_it_was_left_and_what_it_made(
    held: Catalog, error: BaseException | None, state: str, told: str | None
) -> None:
    def work() -> None:
        with held.recorded("merge", {"a": 1}, [("a", 1)]) as made:
            made.append(2)
            if error:
                raise error

    if error:
        with pytest.raises(type(error)):
            work()
    else:
        work()

    run = held.last_run("merge")
    assert run
    assert (run.state, run.error, run.inputs, run.outputs) == (state, told, (("a", 1),), (2,))


def test_what_a_run_uses_later_is_added(held: Catalog) -> None:
    number = held.begin_run("generate", {}, [("model", 1)])
    held.note_inputs(number, [("model", 1), ("lora", 2)])
    assert held.run(number).inputs == (("model", 1), ("lora", 2))


def test_a_free_place_is_in_the_kinds_folder_and_a_taken_name_is_refused(held: Catalog) -> None:
    place = held.free_place("new one", Kind.LORA)
    assert place == held.workspace.models / "lora" / "new one.safetensors"

    place.parent.mkdir(parents=True)
    place.touch()
    for name, holder in (("kip", "catalog ID 2"), ("new one", "new one.safetensors")):
        with pytest.raises(NameTaken, match=holder):
            held.free_place(name, Kind.LORA)
    with pytest.raises(BadValue, match="is no model name"):
        held.free_place("a/b", Kind.LORA)
