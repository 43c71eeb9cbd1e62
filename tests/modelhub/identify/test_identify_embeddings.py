"""Embeddings of every dialect, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.kinds import Kind
from tests import tables
from tests.cases import Case, facts_of, told, top_claims

OURS = {"modelhub.schema": "1", "modelhub.family": "sd1"}


def of(**facts: object) -> dict[str, object]:
    return {"kind": "embedding", "algorithm": None, "rank": None, **facts}


CASES = {
    "webui's, sd1": Case(
        {"string_to_param.*": (4, 768)}, of(family="sd1", format="safetensors/webui", context_width=768), {"step": "9"}
    ),
    "webui's, sd2": Case({"string_to_param.*": (75, 1024)}, of(family="sd2", context_width=1024)),
    "webui's, of another token": Case({"string_to_param.<kip>": (1, 768)}, of(family="sd1")),
    "diffusers', one row": Case({"<kip>": (768,)}, of(family="sd1", format="safetensors/diffusers")),
    "diffusers', many rows": Case({"<kip>": (8, 1024)}, of(family="sd2", format="safetensors/diffusers")),
    "diffusers', of SDXL's second encoder": Case({"<kip>": (2, 1280)}, of(family=None, context_width=1280)),
    "diffusers', of a T5": Case({"<kip>": (2, 4096)}, of(family=None, context_width=4096)),
    "kohya's": Case({"emb_params": (3, 768)}, of(family="sd1", format="safetensors/kohya")),
    "kohya's, sd2": Case({"emb_params": (3, 1024)}, of(family="sd2", format="safetensors/kohya")),
    "kohya's, sdxl": Case(
        {"clip_l": (4, 768), "clip_g": (4, 1280)}, of(family="sdxl", format="safetensors/kohya", context_width=None)
    ),
    "sd3": Case({"clip_l": (4, 768), "clip_g": (4, 1280), "t5xxl": (4, 4096)}, of(family="sd3")),
    "flux": Case({"clip_l": (4, 768), "t5": (4, 4096)}, of(family="flux1")),
    "narrow, of ours": Case({"emb_params": (2, 128)}, of(family="sd1", context_width=128), OURS),
    "narrow, of nobody": Case({"emb_params": (2, 128)}, of(family=None, context_width=128)),
}
OTHERS: dict[str, tables.Shapes] = {
    "of no encoder's width": {"weight": (3, 3)},
    "too high": {"weight": (5000, 768)},
    "without rows": {"<kip>": (0, 768)},
    "a scalar": {"step": ()},
    "a convolution": {"weight": (768, 768, 1, 1)},
    "two of them": {"a": (768,), "b": (768,)},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_embedding_is_what_it_is_known_to_be(case: Case) -> None:
    assert told(case) == case.expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_kind_claims_an_embedding(case: Case) -> None:
    assert [facts.kind for facts in top_claims(case)] == [Kind.EMBEDDING]


@pytest.mark.parametrize("shapes", OTHERS.values(), ids=OTHERS)
def test_what_only_resembles_an_embedding_is_unknown(shapes: tables.Shapes) -> None:
    assert facts_of(Case(shapes, {})).kind is Kind.UNKNOWN


def test_the_evidence_counts_the_rows() -> None:
    assert facts_of(CASES["webui's, sd2"]).evidence["kind"].detail.startswith("75 rows")
    assert facts_of(CASES["diffusers', one row"]).evidence["kind"].detail.startswith("1 row ")


@given(
    st.dictionaries(
        st.sampled_from(["string_to_param.*", "emb_params", "clip_l", "clip_g", "t5", "x"]),
        st.lists(st.sampled_from([0, 1, 2, 768, 1024]), max_size=4).map(tuple),
    )
)
def test_no_shapes_are_so_strange_that_identifying_an_embedding_fails(shapes: tables.Shapes) -> None:
    assert isinstance(facts_of(Case(shapes, {})).kind, Kind)
