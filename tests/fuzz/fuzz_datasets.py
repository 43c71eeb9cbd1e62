"""`python -m tests.fuzz.fuzz_datasets [--seconds N] [--first SEED]`: show datasets of any kind to all that reads them.

Checking, the page, captioning and planning may refuse a dataset by one of our errors, which says what is wrong and what
mends it; anything else is a defect, told with its seed. What the doctor passes is planned, and trained; what only the
doctor refuses is what would train and teach nothing. Each that is planned shows every picture as often as it should.
"""

import argparse
import faulthandler
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TypeVar

from pydantic import ValidationError

from modelhub.catalog import Catalog
from modelhub.errors import ModelHubError
from modelhub.jobs import drain
from modelhub.workspace import Workspace
from tests import tiny
from tests.fuzz.datasets import write_dataset
from trainers.captioning import Rules, Writing, caption
from trainers.doctor import Report, examine, orders_of
from trainers.doctor.page import page
from trainers.framing.buckets import steps
from trainers.framing.views import listed
from trainers.plan import TrainingPlan, plan_training
from trainers.recipe import DatasetOptions, LoraOptions, Recipe
from trainers.train import train

__all__ = ["attempt"]

T = TypeVar("T")

_RUNS_AND_TEACHES_NOTHING = {
    "all-copies", "caption-extension", "wrong-level", "learned-mask", "invisible", "no-masks", "empty-mask",
}  # fmt: skip
"""Codes for which a training that would run is refused."""
_SLOWEST = 300
"""Seconds, after which it is called a hang."""
_LARGEST = 16 << 30
"""Bytes of addresses that a process may have."""


def attempt(seed: int, folder: Path, catalog: Catalog, *, trains: bool = True) -> str:
    """What became of one dataset; raises `AssertionError` with the seed for what should never be."""
    dice = Random(seed)
    folder.mkdir()
    entries = write_dataset(folder, dice)
    try:
        dataset = DatasetOptions(**entries)
    except ValidationError:
        return "no recipe"
    recipe = Recipe(
        base="tiny", name=f"n{seed}", dataset=dataset, steps=2, batch=dice.choice([1, 2, 7]), trigger="kip",
        options=LoraOptions(rank=2), seed=3, validation={"share": dice.choice([0, 0.1])},
    )  # fmt: skip
    report = _told(seed, lambda: drain(examine(dataset, orders_of(recipe, 64), thumbnail=16)))
    if isinstance(report, Report):
        assert_escaped(page(report), seed)
    plan = _told(seed, lambda: plan_training(recipe, catalog))
    place = dataset.images or dataset.subsets[0].images
    _told(seed, lambda: drain(caption(place, None, Rules(trigger="kip", spaces=True), Writing(dry=True))))
    _assert_agreed(seed, report, plan)
    if isinstance(plan, TrainingPlan):
        _assert_every_picture_is_shown(seed, plan)
    if isinstance(plan, ModelHubError) or isinstance(report, ModelHubError) or report.is_refused:
        return "refused"
    if trains:
        drain(train(recipe, catalog=catalog, device="cpu"))
    return "trained" if trains else "planned"


def assert_escaped(html: str, seed: int) -> None:
    """What a name or a caption says is never markup."""
    assert "<script" not in html, f"seed {seed}: a script in the page"
    assert "<b>x</b>" not in html, f"seed {seed}: a name is markup in the page"


def _told(seed: int, act: Callable[[], T]) -> T | ModelHubError:
    """What comes of it, or the error that a person can act on."""
    try:
        return act()
    except ModelHubError as error:
        if not error.mend:
            raise AssertionError(f"seed {seed}: no mend: {error.message}") from error
        return error
    except Exception as error:
        raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error


def _assert_agreed(seed: int, report: Report | ModelHubError, plan: TrainingPlan | ModelHubError) -> None:
    """What the doctor passes can be trained, and what it refuses could not, or would be to no use."""
    if isinstance(report, ModelHubError):
        assert isinstance(plan, ModelHubError), f"seed {seed}: the doctor alone refuses: {report.message}"
        return
    refused = {one.code: one.what for one in report.findings if one.severity == "error"}
    assert all(one.mend for one in report.findings if one.severity == "error"), f"seed {seed}: no mend: {refused}"
    if isinstance(plan, ModelHubError):
        assert refused, f"seed {seed}: the doctor passes what is refused: {plan.message}"
    else:
        odd = {code: what for code, what in refused.items() if code not in _RUNS_AND_TEACHES_NOTHING}
        assert not odd, f"seed {seed}: the doctor refuses what can be trained: {odd}"


def _assert_every_picture_is_shown(seed: int, plan: TrainingPlan) -> None:
    """As often in four epochs as four times its repeats say, rounded, at each of its sizes."""
    if sum(one.repeats for one in plan.items) > 10_000:
        return
    shown: Counter[int] = Counter()
    for epoch in range(4):
        items = listed(plan.items, epoch)
        order = steps([plan.items[one].placement.bucket for one in items], 3, accumulate=2, seed=1, epoch=epoch)
        shown.update(items[place] for step in order for members in step for place in members)
    for index, item in enumerate(plan.items):
        assert abs(shown[index] - 4 * item.repeats) < 1, f"seed {seed}: item {index} is shown {shown[index]} times"


def main(arguments: list[str]) -> int:
    """The exit code is 1 when a defect was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    given = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_AS, (_LARGEST, _LARGEST))
    ends, counts, seed = time.monotonic() + given.seconds, Counter[str](), given.first
    with tempfile.TemporaryDirectory() as place, _catalog(Path(place)) as catalog:
        while time.monotonic() < ends:
            counts[_outcome(seed, Path(place), catalog)] += 1
            seed += 1
    sys.stdout.write(f"datasets: {seed - given.first} of any kind: {dict(counts)}\n")
    return 1 if counts["defect"] else 0


@contextmanager
def _catalog(place: Path) -> Iterator[Catalog]:
    """With a tiny base."""
    with Catalog.create(Workspace(place / "home")) as catalog:
        catalog.add(tiny.write_checkpoint(place / "tiny.safetensors"), name="tiny")
        yield catalog


def _outcome(seed: int, place: Path, catalog: Catalog) -> str:
    """A hang ends the process, showing where: threads that wait for a file cannot be called back."""
    faulthandler.dump_traceback_later(_SLOWEST, exit=True)
    folder = place / f"{seed}"
    try:
        return attempt(seed, folder, catalog)
    except (AssertionError, ModelHubError) as error:
        sys.stdout.write(f"a defect: {error}\n")
        return "defect"
    finally:
        faulthandler.cancel_dump_traceback_later()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
