"""Hypernetworks of stable-diffusion-webui, old and new."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.kinds import Kind
from tests import tables
from tests import tables_controls as made
from tests.cases import Case, facts_of, told, top_claims


def of(**facts: object) -> dict[str, object]:
    return {"kind": "hypernetwork", "format": "safetensors/webui", **facts}


CASES = {
    "sd1": Case(made.hypernetwork((320, 640, 768, 1280)), of(family="sd1", context_width=768)),
    "sd2": Case(made.hypernetwork((320, 640, 1024, 1280)), of(family="sd2", context_width=1024)),
    "sdxl": Case(made.hypernetwork((640, 1280, 2048)), of(family="sdxl", context_width=2048)),
    "of the oldest webui": Case(made.hypernetwork((320, 640, 768, 1280), old=True), of(family="sd1")),
    "deep": Case(made.hypernetwork((320, 640, 768, 1280), (1, 2, 4, 2, 1)), of(family="sd1")),
    "for self-attention alone": Case(made.hypernetwork((320, 640, 1280)), of(family=None, context_width=None)),
    "of self-attention, by its header": Case(
        made.hypernetwork((320, 640)), of(family="sd2"), {"ss_base_model_version": "sd_v2"}
    ),
}
OTHERS: dict[str, tables.Shapes] = {
    "nets that enter with another width": {"320.0.linear.0.weight": (640, 300), "320.1.linear.0.weight": (640, 300)},
    "a net for keys alone": {"320.0.linear.0.weight": (640, 320)},
    "widths that no denoiser has": made.hypernetwork((321,)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_hypernetwork_is_what_it_is_known_to_be(case: Case) -> None:
    assert told(case) == case.expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_kind_claims_a_hypernetwork(case: Case) -> None:
    assert [facts.kind for facts in top_claims(case)] == [Kind.HYPERNETWORK]


@pytest.mark.parametrize("shapes", OTHERS.values(), ids=OTHERS)
def test_what_only_resembles_a_hypernetwork_is_unknown(shapes: tables.Shapes) -> None:
    assert facts_of(Case(shapes, {})).kind is Kind.UNKNOWN


def test_the_evidence_tells_the_structure_of_its_layers() -> None:
    assert facts_of(CASES["deep"]).evidence["kind"].detail.endswith("of layers 1, 2, 4, 2, 1")


@given(
    st.dictionaries(
        st.sampled_from(["320.0.linear.0.weight", "320.1.linear.0.weight", "768.0.linear1.weight", "99999.1.linear"]),
        st.lists(st.sampled_from([0, 1, 320]), max_size=4).map(tuple),
    )
)
def test_no_shapes_are_so_strange_that_identifying_a_hypernetwork_fails(shapes: tables.Shapes) -> None:
    assert isinstance(facts_of(Case(shapes, {})).kind, Kind)
