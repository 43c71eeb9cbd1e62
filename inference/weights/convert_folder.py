"""One network's folder with its weights in a pickle -> such a folder with the same weights as safetensors."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from inference.weights.convert import Conversion, ConversionPlan, convert
from modelhub.headers import WEIGHT_SUFFIXES, folder_files, weight_sets
from modelhub.jobs import Done, Job
from modelhub.workspace import disk_error

__all__ = ["convert_folder", "pickle_in"]


def pickle_in(folder: Path) -> Path | None:
    """The pickle that holds all weights of a folder's network; None where they are safetensors, or in shards."""
    sets = weight_sets([one.name for one in folder_files(folder)])
    best = sets[0] if sets else None
    return folder / best.whole if best and best.whole and best.suffix == "bin" else None


def convert_folder(plan: ConversionPlan, target: Path) -> Job[Conversion]:
    """`convert` into the folder `target`, with all else that belongs to the network; whole or not at all.

    Raises what `convert` raises.
    """
    weights = f"{plan.source.stem.removeprefix('pytorch_')}.safetensors"
    if target.exists():
        yield from _named(target, convert(plan, target / weights))
        return
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        for one in folder_files(plan.source.parent):
            if not one.name.lower().endswith(WEIGHT_SUFFIXES):
                shutil.copyfile(one, part / one.name)
        for event in _named(target, convert(plan, part / weights)):
            if isinstance(event, Done):
                part.rename(target)
            yield event
    except OSError as error:
        raise disk_error(error, target) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _named(target: Path, job: Job[Conversion]) -> Job[Conversion]:
    """The result is the folder."""
    for event in job:
        yield Done(replace(event.result, target=target)) if isinstance(event, Done) else event
