"""Whether the disk takes what a training writes (no torch)."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from inference.memory import giga
from modelhub.errors import ModelHubError, OutOfResources
from modelhub.workspace import Workspace
from trainers.plan import TrainingPlan
from trainers.running.estimate import disk
from trainers.running.results import kind_of
from trainers.running.sizes import written

__all__ = ["shortages"]


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def shortages(
    plan: TrainingPlan, workspace: Workspace, *, free: Callable[[Path], int] = _free
) -> Iterator[ModelHubError]:  # fmt: skip
    """Errors for folders that cannot be written to, and for disks that are too small.

    `free` tells the bytes that are left where a folder lies.
    """
    needed = {workspace.models / kind_of(plan.recipe): written(plan), workspace.runs: disk(plan), workspace.cache: 0}
    for folder, size in needed.items():
        there = next(one for one in (folder, *folder.parents) if one.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            yield ModelHubError(f"nothing can be written into {folder}", mend=f"ls -ld {there}")
        elif size > (left := free(there)):
            yield OutOfResources(
                f"this training writes about {giga(size)} into {folder}, and {giga(left)} are free there",
                mend=f"free space (df -h {there}), or keep fewer copies: --set save.keep=2",
            )
