"""A request's faces are drawn again before the picture is saved."""

from pathlib import Path

import numpy as np
import pytest
import torch

from inference.engine import Engine
from inference.generate import render
from inference.picture import Picture
from inference.plan import LoadPlan, resolve
from inference.request import Faces, GenerationRequest
from modelhub.catalog import Catalog
from modelhub.kinds import Artifact
from tests import tables, tables_upscalers
from tests.detectors import write_detector
from tests.upscalers import FakeNet, FakeNets


@pytest.fixture
def restorer(catalog: Catalog, tmp_path: Path) -> Artifact:
    """Catalogued, and the detector in its place."""
    detector = catalog.workspace.models / "face_detector" / "centerface.onnx"
    detector.parent.mkdir(parents=True)
    write_detector(detector, everywhere=True)
    return catalog.add(tables.write(tmp_path / "gfp.safetensors", tables_upscalers.gfpgan()))


def drawn(plan: LoadPlan, colour: float) -> np.ndarray:
    engine = Engine("cpu")
    engine.nets = FakeNets(FakeNet(lambda pixels: torch.full_like(pixels, colour), 1))  # type: ignore[assignment]
    (picture,) = (one for one in render(plan, engine) if isinstance(one, Picture))
    return np.asarray(picture.image)


def test_a_resolved_request_names_the_restorer_by_its_digest(
    catalog: Catalog, checkpoint: Path, restorer: Artifact
) -> None:
    base = catalog.add(checkpoint)
    plan = resolve(GenerationRequest(prompt="x", model=str(base.id), faces=Faces(model="any")), catalog)
    assert plan.request.faces
    assert plan.request.faces.model == catalog.sha256(restorer)
    assert ("face_restorer", restorer.id) in plan.used
    assert plan.faces
    assert plan.faces.path == restorer.path


def test_faces_of_a_picture_are_drawn_again(catalog: Catalog, checkpoint: Path, restorer: Artifact) -> None:
    base = catalog.add(checkpoint)
    asked = GenerationRequest(prompt="x", model=str(base.id), seed=1, steps=1, width=64, height=64)
    plain = drawn(resolve(asked, catalog), 0.0)
    plan = resolve(asked.model_copy(update={"faces": Faces(model="gfp")}), catalog)
    dark, light = drawn(plan, 0.0), drawn(plan, 1.0)
    found = (light != dark).any(-1)
    assert found.any()
    assert not dark[32, 32].any()
    assert (dark <= plain).all()
    assert (light >= plain).all()
