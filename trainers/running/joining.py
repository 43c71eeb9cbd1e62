"""What is left to a process beside the main one, where `accelerate launch` began several."""

from collections import deque

from modelhub.catalog import Catalog
from modelhub.jobs import Done, Job
from modelhub.kinds import Artifact
from trainers.learning.processes import Processes
from trainers.plan import plan_training
from trainers.running.copies import Dues
from trainers.running.runs import RunFolder
from trainers.running.states import read_state
from trainers.running.training import engine_for, made_ready

__all__ = ["take_part"]


def take_part(processes: Processes, *, catalog: Catalog, device: str) -> Job[Artifact]:
    """Compute this process's share of every step of the run that the main one began; all else is left to that one.

    What is made once and kept in files is found there.
    """
    run = processes.agree()
    folder = RunFolder.of(catalog.workspace, run, str(catalog.run(run).payload["name"]))
    plan = plan_training(folder.read_recipe(), catalog)
    state = read_state(folder, recipe=plan.recipe, dataset=plan.dataset)
    processes.wait()
    ready = yield from made_ready(plan, catalog.workspace.cache, engine_for(plan.recipe, device))
    try:
        if state:
            ready.trainer.load_state(state)
        deque(ready.trainer.steps(Dues.of(plan).any), maxlen=0)
    finally:
        ready.trainee.detach()
    yield Done(catalog.artifact(processes.agree()))
