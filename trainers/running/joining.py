"""What is left to a process beside the main one, where `accelerate launch` began several."""

from collections import deque

from inference.engine import Engine, pick_device
from modelhub.catalog import Catalog
from modelhub.jobs import Done, Job
from modelhub.kinds import Artifact
from trainers.learning.precision import dtype_of
from trainers.learning.processes import Processes
from trainers.plan import plan_training
from trainers.running.copies import Dues
from trainers.running.runs import RunFolder
from trainers.running.training import made_ready

__all__ = ["take_part"]


def take_part(processes: Processes, *, catalog: Catalog, device: str) -> Job[Artifact]:
    """Compute this process's share of every step of the run that the main one began; all else is left to that one.

    What is made once and kept in files is found there.
    """
    run = processes.agree()
    folder = RunFolder.of(catalog.workspace, run, str(catalog.run(run).payload["name"]))
    plan = plan_training(folder.read_recipe(), catalog)
    state = folder.load_state(recipe=plan.recipe, dataset=plan.dataset)
    processes.wait()
    engine = Engine(device, half=dtype_of(plan.recipe.compute, pick_device(device)))
    ready = yield from made_ready(plan, catalog.workspace.cache, engine)
    try:
        if state:
            ready.trainer.load_state(state)
        deque(ready.trainer.steps(Dues.of(plan).any), maxlen=0)
    finally:
        ready.trainee.detach()
    yield Done(catalog.artifact(processes.agree()))
