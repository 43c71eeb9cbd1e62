"""`modelhub doctor`: what is installed, what is missing, and the command that mends it."""

import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import typer

from cli.render import table
from cli.session import Session
from modelhub import __version__
from modelhub.errors import ModelHubError

_DISTRIBUTION = "modelhub-suite"
_MODELS = ("torch", "diffusers", "transformers", "accelerate", "tokenizers", "spandrel")
_INFERENCE = (*_MODELS, "pillow", "numpy", "opencv-python-headless", "ftfy")
_EXTRAS: Mapping[str, tuple[str, ...]] = {"inference": _INFERENCE, "train": (*_INFERENCE, "peft")}
_OURS = ("modelhub", "cli", "inference", "trainers")
_NETWORK = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "fuse.rclone", "afs", "glusterfs", "ceph", "lustre")
_MOUNTS = Path("/proc/mounts")


class State(StrEnum):
    """How a finding stands."""

    OK = "ok"
    MISSING = "missing"
    """Something that is only needed for some features."""
    BROKEN = "broken"
    """Something that will fail."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    state: State
    detail: str
    mend: str | None = None
    """The command to type."""


def command(session: Session) -> None:
    """Look at the installation and the workspace, and say how to mend what is wrong."""
    findings = [*_system(), *_packages(), *_modules(), *_torch(), *_workspace(session), *_tokens(session)]
    session.output.show(findings, text=lambda: _told(findings), ids=[one.what for one in findings if one.state != "ok"])
    if any(one.state is State.BROKEN for one in findings):
        raise typer.Exit(1)


def _told(findings: list[Finding]) -> str:
    mends = dict.fromkeys(f"  {one.mend}" for one in findings if one.mend)
    listed = table(("", "WHAT", ""), [(one.state, one.what, one.detail) for one in findings])
    return "\n".join([listed, *(["", "to mend:", *mends] if mends else [])])


def _system() -> Iterator[Finding]:
    yield Finding("modelhub", State.OK, f"{__version__} in {Path(__file__).parents[2]}")
    yield Finding("python", State.OK, f"{platform.python_version()} on {platform.platform()} ({sys.executable})")


def _packages() -> Iterator[Finding]:
    for extra, names in _EXTRAS.items():
        versions = {name: _version(name) for name in names}
        missing = [name for name, version in versions.items() if version is None]
        if missing:
            mend = f"pip install '{_DISTRIBUTION}[{extra}]'"
            yield Finding(f"extra {extra}", State.MISSING, f"not installed: {', '.join(missing)}", mend)
        else:
            yield Finding(
                f"extra {extra}", State.OK, ", ".join(f"{name} {version}" for name, version in versions.items())
            )


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _modules() -> Iterator[Finding]:
    """Our packages have names that others use too: each must lie beside this one, and be nobody else's."""
    home = Path(__file__).parents[2]
    owners = importlib.metadata.packages_distributions()
    for name in _OURS:
        spec = importlib.util.find_spec(name)
        places = [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
        others = sorted(set(owners.get(name, ())) - {_DISTRIBUTION})
        yield _ownership(name, places, home, others)


def _ownership(name: str, places: list[Path], home: Path, others: list[str]) -> Finding:
    if not places:
        return Finding(
            f"package {name}", State.BROKEN, "is not installed", f"pip install --force-reinstall {_DISTRIBUTION}"
        )
    if places[0].parent != home:
        detail = f"another package of this name comes first: {places[0]}"
        return Finding(f"package {name}", State.BROKEN, detail, f"pip uninstall {others[0]}" if others else None)
    if others:
        detail = f"the distribution {', '.join(others)} has a package of this name too"
        return Finding(
            f"package {name}", State.MISSING, detail, "use a virtual environment of its own: python -m venv .venv"
        )
    return Finding(f"package {name}", State.OK, "ours")


def _torch() -> Iterator[Finding]:
    if importlib.util.find_spec("torch") is None:
        return
    import torch

    if torch.cuda.is_available():
        yield Finding("gpu", State.OK, torch.cuda.get_device_name())
    else:
        yield Finding("gpu", State.OK, f"none that torch {torch.__version__} can use; the CPU works, slowly")
    if importlib.util.find_spec("torchvision") is not None:
        yield _torchvision()


def _torchvision() -> Finding:
    """We do not need it, but transformers imports one that is there, and one for another torch is half there."""
    import inference  # noqa: F401  # mends it

    try:
        found = importlib.import_module("torchvision")
    except Exception as error:  # whatever it is, transformers would meet it too
        detail = f"installed, but fails with this torch: {type(error).__name__}: {error}"
        return Finding("torchvision", State.BROKEN, detail.splitlines()[0], "pip uninstall -y torchvision")
    if hasattr(found, "declared_operators"):
        detail = "its compiled half is made for another torch; it loads all the same, and nothing here needs the rest"
        return Finding(
            "torchvision", State.MISSING, detail, "pip uninstall -y torchvision, or install the build for this torch"
        )
    return Finding("torchvision", State.OK, "works with this torch (and is not needed)")


def _workspace(session: Session) -> Iterator[Finding]:
    workspace = session.workspace
    if not workspace.catalog.is_file():
        yield Finding("workspace", State.MISSING, f"{workspace.root} has no catalog", "modelhub init")
        return
    with session.open_catalog() as catalog:
        yield Finding("workspace", State.OK, f"{workspace.root}, {catalog.count()} models")
    kind = network_file_system(workspace.root, _mounts())
    if kind:
        detail = f"it lies on a network file system ({kind}), where SQLite can lose writes"
        yield Finding("catalog.db", State.BROKEN, detail, "keep the workspace local; modelhub add /network/folder")


def _tokens(session: Session) -> Iterator[Finding]:
    from modelhub.tokens import PLACES

    for hub in PLACES:
        try:
            found = session.tokens.found(hub)
        except ModelHubError as error:
            yield Finding(f"token {hub}", State.BROKEN, error.message, error.mend)
            continue
        told = f"in {found.origin}" if found else f"none, which some models ask for: modelhub login {hub}"
        yield Finding(f"token {hub}", State.OK, told)


def _mounts() -> str:
    return _MOUNTS.read_text() if _MOUNTS.exists() else ""


def network_file_system(path: Path, mounts: str) -> str | None:
    """The type of the network file system that `path` lies on, if it does; `mounts` as in /proc/mounts."""
    lines = [line.split() for line in mounts.splitlines()]
    under = [(Path(line[1].replace("\\040", " ")), line[2]) for line in lines if len(line) > 2]
    around = [(len(point.parts), kind) for point, kind in under if path.resolve().is_relative_to(point)]
    kind = max(around, default=(0, ""))[1]
    return kind if kind.startswith(_NETWORK) else None
