"""Models that came in a format that can run code: how they get out, and who is not shown them before."""

from collections.abc import Sequence
from dataclasses import replace

from modelhub.headers import WEIGHT_SUFFIXES, folder_files
from modelhub.kinds import Artifact
from modelhub.workspace import Workspace

__all__ = ["release", "usable"]


def release(artifact: Artifact) -> str:
    """The command that makes it safe to use: of a pipeline, for its first pickle."""
    path = artifact.path
    if not (path / "model_index.json").is_file():
        return f"modelhub convert {artifact.id}"
    files = (one for one in folder_files(path) if one.name.lower().endswith(WEIGHT_SUFFIXES))
    pickles = [one for one in files if one.suffix.lower() not in (".safetensors", ".gguf")]
    return f"modelhub convert {pickles[0] if pickles else path}"


def usable(
    wanted: Sequence[Artifact], workspace: Workspace
) -> tuple[tuple[Artifact, ...], tuple[tuple[int, str], ...]]:
    """The artifacts with what lies outside the quarantine; and (catalog ID, why) of those that lie nowhere else."""
    shown, kept_back = [], []
    for one in wanted:
        places = tuple(at for at in one.locations if not workspace.is_quarantined(at.path))
        if places:
            shown.append(replace(one, locations=places))
        else:
            kept_back.append((one.id, f"it is under quarantine: {release(one)}"))
    return tuple(shown), tuple(kept_back)
