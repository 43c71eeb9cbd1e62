"""Files that were damaged, cut or made up: identifying never fails, and says nothing that has no evidence."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelhub.families import known
from modelhub.identify import identify
from modelhub.kinds import Kind
from tests import tables

SIGNED = [
    {**{name: (8,) * len(shape or (1, 1)) for name, shape in layout.requires.items()}}
    for family in known().values()
    for layout in (*family.transformer, *family.variants)
]
WHOLE: Sequence[tables.Shapes] = [
    *SIGNED,
    tables.diffusers_unet(),
    {"input_blocks.0.0.weight": (320, 4, 3, 3), "out.2.weight": (4, 320, 3, 3)},
    {"decoder.conv_in.weight": (512, 4, 3, 3), "decoder.mid.block_1.conv1.weight": (), "decoder.conv_out.weight": ()},
    {"embeddings.token_embedding.weight": (9, 768), "encoder.layers.0.self_attn.q_proj.weight": (768, 768)},
    {"model.embed_tokens.weight": (9, 2560), "model.layers.0.self_attn.q_proj.weight": (9, 9)},
]
SHAPES = st.lists(st.integers(0, 20_000), max_size=6).map(tuple)
TEXTS = st.dictionaries(
    st.sampled_from(
        [
            "modelhub.kind",
            "modelhub.family",
            "modelspec.architecture",
            "modelspec.prediction_type",
            "scheduler.prediction_type",
            "ss_base_model_version",
            "global_step",
        ]
    ),
    st.sampled_from(["", "None", "sd1", "v", "sd_v2_v", "unet", "875000", "flux-1-dev", "stable-diffusion-v2-768-v"]),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(st.sampled_from(WHOLE), max_size=3),
    st.data(),
    st.sampled_from(["", "model.diffusion_model.", "vae.", "transformer."]),
    TEXTS,
    st.text(max_size=12),
)
def test_parts_of_models_in_any_shape_are_survived(
    parts: list[tables.Shapes], data: st.DataObject, prefix: str, metadata: dict[str, str], name: str
) -> None:
    names = sorted(name for part in parts for name in part)
    kept = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    shapes = {prefix + one: data.draw(SHAPES) for one in kept}
    facts = identify(tables.table(shapes, metadata), name=name, read=lambda _: b"\0\1\2")
    told = {field for field in ("family", "variant", "format", "prediction_type", "precision") if getattr(facts, field)}
    assert told <= facts.evidence.keys()


@pytest.mark.parametrize("name", ["", "-", "\0", "é" * 300, "sd" * 4000])
def test_names_of_any_sort_are_survived(name: str) -> None:
    assert identify(tables.table({}), name=name).kind is Kind.UNKNOWN
