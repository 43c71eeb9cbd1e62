"""GFPGAN, RestoreFormer and CodeFormer."""

import pytest

from modelhub.kinds import Kind
from tests import tables
from tests import tables_upscalers as made
from tests.cases import Case, facts_of, told, top_claims


def of(algorithm: str) -> dict[str, object]:
    return {"kind": "face_restorer", "algorithm": algorithm, "family": None, "format": "safetensors/native"}


CASES = {
    "gfpgan": Case(made.gfpgan(), of("gfpgan")),
    "gfpgan from a parallel training": Case(
        {f"module.{name}": shape for name, shape in made.gfpgan().items()}, of("gfpgan")
    ),
    "restoreformer": Case(made.restoreformer(), of("restoreformer")),
    "codeformer": Case(made.codeformer(), of("codeformer")),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_face_restorer_is_what_it_is_known_to_be(case: Case) -> None:
    assert told(case) == case.expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_kind_claims_a_face_restorer(case: Case) -> None:
    assert [facts.kind for facts in top_claims(case)] == [Kind.FACE_RESTORER]


def test_an_autoencoder_is_no_face_restorer() -> None:
    assert facts_of(Case(tables.ldm_vae(), {})).kind is Kind.VAE
