"""Which upscaler a name means, found and checked before a weight is read (no torch)."""

from dataclasses import dataclass
from pathlib import Path

from modelhub.catalog import Catalog, Query
from modelhub.errors import BadValue, Incompatible, UnknownRef
from modelhub.headers import read_table
from modelhub.kinds import Artifact, Kind

__all__ = ["BUILT_IN", "UpscalerPlan", "check_loadable", "find_upscaler", "known_upscalers"]

BUILT_IN = ("None", "Lanczos", "Nearest")
"""Those that need no model; None is Lanczos wherever something must come to a size."""


@dataclass(frozen=True, slots=True)
class UpscalerPlan:
    """One upscaler."""

    name: str
    """As a picture's parameters say it."""
    path: Path | None = None
    """Its weights; None for those that are built in."""
    sha256: str | None = None
    scale: int = 1
    """By how much its model enlarges a side, once; 1 where that is not known, or any."""
    id: int | None = None
    """In the catalog."""

    @property
    def ref(self) -> str:
        """What a resolved request calls it."""
        return self.sha256 or self.name


def find_upscaler(ref: str, catalog: Catalog) -> UpscalerPlan:
    """What `ref` means: a built-in one by its name, or a model of the catalog.

    Raises `UnknownRef` naming those that there are, and `Incompatible` for a model that cannot be loaded.
    """
    if built_in := _built_in(ref):
        return UpscalerPlan(built_in)
    try:
        found = catalog.resolve(ref, kinds={Kind.UPSCALER})
    except UnknownRef as error:
        raise UnknownRef(ref, why=f"there are {', '.join(known_upscalers(catalog))}", mend=_mend(catalog)) from error
    check_loadable(found)
    return UpscalerPlan(found.name, found.path, catalog.sha256(found), found.facts.scale or 1, found.id)


def known_upscalers(catalog: Catalog) -> tuple[str, ...]:
    """The built-in ones, then those of the catalog by their names."""
    held = sorted((one.name for one in catalog.list(Query(kinds=(Kind.UPSCALER,)))), key=str.casefold)
    return (*BUILT_IN, *held)


def check_loadable(artifact: Artifact) -> None:
    """Weights are read from safetensors files alone; raises `Incompatible`."""
    container = (artifact.facts.format or read_table(artifact.path).container).partition("/")[0]
    if container != "safetensors":
        raise Incompatible(
            f"{artifact.name} is a {container} file: it is only used after it was converted",
            mend=f"modelhub convert {artifact.id}",
        )


def _built_in(ref: str) -> str | None:
    if not ref.strip():
        raise BadValue("an upscaler without a name", mend="modelhub ls --kind upscaler")
    return next((name for name in BUILT_IN if name.casefold() == ref.strip().casefold()), None)


def _mend(catalog: Catalog) -> str:
    return "modelhub ls --kind upscaler" if len(known_upscalers(catalog)) > len(BUILT_IN) else "modelhub pull REF"
