"""Recipe -> model in the catalog: the one path of every training, new or resumed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch

from inference.engine import pick_device
from modelhub.catalog import Catalog
from modelhub.errors import OutOfResources
from modelhub.jobs import Done, Job, Notice, Preview, Step
from modelhub.kinds import Artifact
from trainers.beginning import Beginning, begun, check_resumable, going_on
from trainers.learning.processes import Processes
from trainers.plan import TrainingPlan, plan_training
from trainers.prior import with_class_pictures
from trainers.recipe import Recipe
from trainers.running.announcing import announcement, outlook
from trainers.running.copies import Dues, on_the_way, save_state
from trainers.running.exporting import check_effect, write
from trainers.running.header import pictures
from trainers.running.joining import take_part
from trainers.running.logs import logged
from trainers.running.plot import write_plot
from trainers.running.rehearsal import rehearse
from trainers.running.repeating import check_same_pictures
from trainers.running.results import catalogued, check_free, clear_leftover
from trainers.running.runs import RunFolder
from trainers.running.states import read_state
from trainers.running.training import Ready, Training, engine_for, made_ready

__all__ = ["resume", "train"]


def train(
    recipe: Recipe, *, catalog: Catalog, device: str = "auto", like: Path | None = None,
    beginning: Beginning | None = None,
) -> Job[Artifact]:  # fmt: skip
    """Train a recipe and catalogue what comes of it; where it makes several models, the one that bears its name.

    Everything that can be wrong with the recipe, the base or the dataset is said before anything is loaded; other
    pictures or captions than those of the training that is to be repeated (`like` is the file it made) are refused.
    `beginning` is what `begun` found of all this, where that was done before torch was loaded. Stopped at any time, the
    run keeps a state that `resume` goes on from.
    """
    processes = Processes(pick_device(device))
    if not processes.is_main:
        yield from take_part(processes, catalog=catalog, device=device)
        return
    beginning = beginning or (yield from begun(recipe, catalog=catalog, like=like))
    plan = beginning.plan
    if recipe.prior.draw:
        wanted = yield from with_class_pictures(plan.recipe, catalog=catalog, device=device)
        plan = plan_training(wanted, catalog)
        if like:
            check_same_pictures(plan, like)
    run = catalog.begin_run("train", plan.recipe.payload(), plan.inputs)
    folder = RunFolder.of(catalog.workspace, run, recipe.name)
    folder.begin(plan.recipe, pictures(plan.samples))
    yield from _carry_out(Training(plan, run, folder, catalog, device), state=None, told=beginning.told)


def resume(
    run: int, *, catalog: Catalog, device: str = "auto", plan: TrainingPlan | None = None
) -> Job[Artifact]:  # fmt: skip
    """Go on with an interrupted training: it takes the very steps that it would have taken.

    One that was stopped before its first state begins anew. Raises `Conflict` while another process is at it, and
    `Incompatible` when recipe or dataset have changed since, naming which. `plan` is what
    `going_on` found of it, where that was done before torch was loaded.
    """
    processes = Processes(pick_device(device))
    if not processes.is_main:
        yield from take_part(processes, catalog=catalog, device=device)
        return
    folder = check_resumable(run, catalog)
    if plan is None:
        recipe = yield from with_class_pictures(folder.read_recipe(), catalog=catalog, device=device)
        plan = going_on(folder, recipe, catalog)
    state = read_state(folder, recipe=plan.recipe, dataset=plan.dataset)
    folder.forget_after(state["step"] if state else 0)
    clear_leftover(plan.recipe, catalog)
    check_free(plan.recipe, catalog)
    catalog.resume_run(run)
    yield from _carry_out(Training(plan, run, folder, catalog, device), state=state)


def _carry_out(training: Training, state: Mapping[str, object] | None, told: Sequence[str] = ()) -> Job[Artifact]:
    """Load, learn, write, compare, catalogue; whatever happens, the state and the run's end are kept."""
    processes = Processes(pick_device(training.device))
    processes.agree(training.run)
    with _recorded(training) as course:
        engine = engine_for(training.recipe, training.device)
        yield from map(Notice, [*told, *training.plan.notices, *announcement(training.plan, engine)])
        ready = course.ready = yield from made_ready(training.plan, training.catalog.workspace.cache, engine)
        processes.wait()
        if state:
            ready.trainer.load_state(state)
            yield Notice(f"goes on at step {ready.trainer.step} of {training.recipe.steps}")
        if tried := rehearse(training.plan, ready):
            yield Notice(outlook(training.plan, tried, ready.trainer.step))
        yield from _learn(training, ready)
        course.made += _written(training, ready)
    processes.agree(course.made[0].id)
    yield Done(course.made[0])


@dataclass(slots=True)
class _Course:
    """How far a run came."""

    ready: Ready | None = None
    made: list[Artifact] = field(default_factory=list)


@contextmanager
def _recorded(training: Training) -> Iterator[_Course]:
    """Within, a run goes on; in the end, whatever it is, the base is as it was and all that was learned is kept."""
    course = _Course()
    end, wrong = "interrupted", None
    try:
        yield course
        end = "done"
        training.folder.forget_state()
    except torch.OutOfMemoryError as error:
        end, wrong = "failed", "the GPU's memory is full"
        raise OutOfResources(wrong, mend="modelhub train ... --micro-batch 1 --checkpointing") from error
    except Exception as error:
        end, wrong = "failed", str(error)
        raise
    finally:
        try:
            _let_go(training, course.ready, is_done=end == "done")
        finally:
            training.catalog.finish_run(training.run, state=end, outputs=[one.id for one in course.made], error=wrong)


def _let_go(training: Training, ready: Ready | None, *, is_done: bool) -> None:
    if ready is None:
        return
    ready.trainee.detach()
    if ready.trainer.can_go_on and not is_done:
        save_state(training, ready.trainer)


def _learn(training: Training, ready: Ready) -> Iterator[Step | Notice | Preview]:
    """All steps that are left, each told and kept, and what is due after it; a stop may have come in between."""
    dues, trainer = Dues.of(training.plan), ready.trainer
    with logged(training.recipe, training.folder, ready.trainee.groups()) as log:
        if trainer.step and trainer.has_told and dues.any(trainer.step):
            yield from on_the_way(training, ready, dues, log, trainer.step)
        for event in trainer.steps(dues.any):
            if isinstance(event, Step):
                log.note(event)
            yield event
            if isinstance(event, Step) and dues.any(event.step):
                yield from on_the_way(training, ready, dues, log, event.step)


def _written(training: Training, ready: Ready) -> list[Artifact]:
    """The results, read back and catalogued, and the course of the losses as a picture."""
    models, recipe = training.catalog.workspace.models, training.recipe
    with ready.trainer.averaged():
        written = write(training.plan, ready.trainee, ready.trainer.step, recipe.name, lambda kind: models / kind)
    write_plot(training.folder)
    check_effect(written, recipe)
    return catalogued(written, recipe, training.catalog)
