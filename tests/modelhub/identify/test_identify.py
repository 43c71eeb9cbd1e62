"""What a file is follows from its table; every fixture here must be claimed by one kind only."""

import math
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.identify import identify
from modelhub.kinds import Kind, Source
from tests import tables
from tests.cases import Case, facts_of, told, top_claims

OURS = {"modelhub.schema": "1", "modelhub.family": "sd1"}
AT = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"


def under(prefix: str, shapes: tables.Shapes) -> tables.Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


OLD_LORA: tables.Shapes = {
    "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora.down.weight": (4, 768),
    "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora.up.weight": (320, 4),
}
CASES = {
    "sd1 checkpoint": Case(
        tables.ldm_checkpoint(),
        {"kind": "checkpoint", "family": "sd1", "format": "safetensors/ldm", "context_width": 768, "variant": None},
    ),
    "inpainting checkpoint": Case(
        tables.ldm_checkpoint(in_channels=9), {"kind": "checkpoint", "family": "sd1", "variant": "inpaint"}
    ),
    "pix2pix checkpoint": Case(tables.ldm_checkpoint(in_channels=8), {"kind": "checkpoint", "variant": "pix2pix"}),
    "v-prediction checkpoint": Case(
        {**tables.ldm_checkpoint(), "v_pred": ()}, {"kind": "checkpoint", "family": "sd1", "prediction_type": "v"}
    ),
    "epsilon by its header": Case(
        tables.ldm_checkpoint(), {"prediction_type": "epsilon"}, {"modelspec.prediction_type": "epsilon"}
    ),
    "tiny checkpoint of ours": Case(
        tables.ldm_checkpoint(channels=64, context=128),
        {"kind": "checkpoint", "family": "sd1", "context_width": 128, "resolution": (256, 256)},
        {**OURS, "modelspec.resolution": "256x256"},
    ),
    "tiny checkpoint of nobody": Case(
        tables.ldm_checkpoint(channels=64, context=128), {"kind": "checkpoint", "family": None, "context_width": 128}
    ),
    "sd2-wide checkpoint": Case(tables.ldm_checkpoint(context=1024), {"kind": "checkpoint", "family": None}),
    "prefixed unet": Case(
        under("model.diffusion_model.", tables.ldm_unet()),
        {"kind": "unet", "family": "sd1", "format": "safetensors/ldm"},
    ),
    "bare unet": Case(tables.ldm_unet(), {"kind": "unet", "family": "sd1", "context_width": 768}),
    "diffusers unet": Case(
        tables.diffusers_unet(), {"kind": "unet", "family": "sd1", "format": "safetensors/diffusers"}
    ),
    "vae": Case(tables.ldm_vae(), {"kind": "vae", "family": None, "variant": "4-channel", "format": "safetensors/ldm"}),
    "prefixed vae": Case(under("first_stage_model.", tables.ldm_vae()), {"kind": "vae", "variant": "4-channel"}),
    "text encoder": Case(
        under("text_model.", tables.clip_text()),
        {"kind": "text_encoder", "family": None, "variant": "clip-l", "context_width": 768},
    ),
    "our text encoder": Case(tables.clip_text(128, 2), {"kind": "text_encoder", "family": "sd1"}, OURS),
    "kohya lora": Case(
        tables.kohya_lora(),
        {
            "kind": "lora",
            "family": "sd1",
            "format": "safetensors/kohya",
            "algorithm": "lora",
            "rank": 16,
            "context_width": 768,
        },
    ),
    "text-only kohya lora": Case(
        {name: shape for name, shape in tables.kohya_lora().items() if name.startswith("lora_te_")},
        {"kind": "lora", "family": "sd1", "context_width": 768},
    ),
    "kohya lora with convolutions": Case(
        {
            **tables.kohya_lora(),
            "lora_unet_down_blocks_0_resnets_0_conv1.lora_down.weight": (8, 320, 3, 3),
            "lora_unet_down_blocks_0_resnets_0_conv1.lora_up.weight": (320, 8, 1, 1),
        },
        {"algorithm": "locon", "rank": 16},
    ),
    "narrow lora by kohya's header": Case(
        tables.kohya_lora(128, text=False), {"family": "sd1", "context_width": 128}, {"ss_base_model_version": "sd_v1"}
    ),
    "narrow lora by the model spec": Case(
        tables.kohya_lora(128, text=False), {"family": "sd1"}, {"modelspec.architecture": "stable-diffusion-v1/lora"}
    ),
    "narrow lora by our header": Case(tables.kohya_lora(128, text=False), {"family": "sd1"}, OURS),
    "narrow lora of nobody": Case(tables.kohya_lora(128, text=False), {"kind": "lora", "family": None}),
    "peft lora": Case(
        tables.peft_lora(),
        {"kind": "lora", "family": "sd1", "format": "safetensors/peft", "rank": 8, "algorithm": "lora"},
    ),
    "peft lora of the default adapter": Case(
        {name.replace(".weight", ".default.weight"): shape for name, shape in tables.peft_lora().items()},
        {"kind": "lora", "family": "sd1", "format": "safetensors/peft"},
    ),
    "old diffusers lora": Case(
        OLD_LORA, {"kind": "lora", "family": "sd1", "format": "safetensors/diffusers", "rank": 4, "context_width": 768}
    ),
    "native lora": Case(
        {name.replace(AT, "diffusion_model.attn2.to_k"): shape for name, shape in tables.tiny_lora().items()},
        {"kind": "lora", "format": "safetensors/native", "family": "sd1"},
    ),
    "dora": Case({**tables.peft_lora(), "unet.x.lora_magnitude_vector": (320,)}, {"kind": "lora", "algorithm": "dora"}),
    "loha": Case(
        {f"{AT}.hada_w{n}_{half}": shape for n in (1, 2) for half, shape in {"a": (320, 4), "b": (4, 768)}.items()},
        {"kind": "lora", "algorithm": "loha", "rank": 4, "family": "sd1"},
    ),
    "lokr": Case(
        {f"{AT}.lokr_w1": (8, 8), f"{AT}.lokr_w2": (40, 96)},
        {"kind": "lora", "algorithm": "lokr", "rank": None},
    ),
    "controlnet": Case(
        {"input_blocks.0.0.weight": (320, 4, 3, 3), "zero_convs.0.0.weight": (320, 320, 1, 1)}, {"kind": "unknown"}
    ),
    "something else": Case({"weight": (3, 3)}, {"kind": "unknown", "family": None, "format": None}),
    "something else of ours": Case(
        {"weight": (3, 3)}, {"kind": "embedding"}, {"modelhub.schema": "1", "modelhub.kind": "embedding"}
    ),
    "nothing": Case({}, {"kind": "unknown"}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_file_is_what_it_is_known_to_be(case: Case) -> None:
    assert told(case) == case.expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_no_two_kinds_claim_a_file_with_equal_strength(case: Case) -> None:
    assert len(top_claims(case)) <= 1


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_known_fact_has_its_evidence(case: Case) -> None:
    facts = facts_of(case)
    fields_told = {field.name for field in fields(facts) if field.name not in ("evidence", "conflicts")}
    known = {name for name in fields_told if getattr(facts, name) not in (None, Kind.UNKNOWN)}
    assert known == facts.evidence.keys()


def test_tables_have_as_many_tensors_as_the_real_files() -> None:
    assert (len(tables.ldm_unet()), len(tables.ldm_vae()), len(tables.kohya_lora())) == (686, 248, 792)
    assert sum(map(math.prod, tables.ldm_unet().values())) == 859_520_964
    assert sum(map(math.prod, tables.ldm_vae().values())) == 83_653_863


def test_evidence_names_the_tensor_and_its_width() -> None:
    evidence = identify(tables.table(tables.tiny_lora()), name="kip").evidence["family"]
    assert evidence.source is Source.TENSORS
    assert "768" in evidence.detail


def test_a_header_that_contradicts_the_shapes_is_told_and_not_believed() -> None:
    says_xl = {"modelspec.architecture": "stable-diffusion-xl-v1-base/lora", "ss_base_model_version": "sd_v1"}
    facts = identify(tables.table(tables.kohya_lora(), says_xl), name="kip")
    assert facts.family == "sd1"
    assert len(facts.conflicts) == 1
    assert "stable-diffusion-xl-v1-base/lora" in facts.conflicts[0]


@pytest.mark.parametrize("version", ["sd_v1", "sd_v1_v", "sd_1.5"])
def test_what_trainers_call_sd1_contradicts_nothing(version: str) -> None:
    facts = identify(tables.table(tables.kohya_lora(), {"ss_base_model_version": version}), name="kip")
    assert facts.conflicts == ()


def test_a_header_that_says_none_says_nothing() -> None:
    facts = identify(tables.table(tables.kohya_lora(), {"ss_base_model_version": "None"}), name="kip")
    assert facts.conflicts == ()


def test_a_kind_that_the_tensors_refute_is_told() -> None:
    facts = identify(tables.table(tables.ldm_vae(), {"modelhub.kind": "checkpoint"}), name="vae")
    assert facts.kind is Kind.VAE
    assert "checkpoint" in facts.conflicts[0]


def test_a_marker_that_the_header_refutes_is_told() -> None:
    facts = identify(
        tables.table({**tables.ldm_checkpoint(), "v_pred": ()}, {"modelspec.prediction_type": "epsilon"}), name="model"
    )
    assert facts.prediction_type == "epsilon"
    assert "v_pred" in facts.conflicts[0]


@pytest.mark.parametrize("schema", ["2", "x", "²", "9" * 5000, "-1", ""])
def test_our_keys_in_a_newer_schema_are_not_read(schema: str) -> None:
    facts = identify(tables.table(tables.kohya_lora(128, text=False), {**OURS, "modelhub.schema": schema}), name="kip")
    assert facts.family is None
    assert any("schema" in conflict for conflict in facts.conflicts)


def test_an_unknown_family_in_our_key_names_none() -> None:
    facts = identify(tables.table(tables.kohya_lora(128, text=False), {"modelhub.family": "sd9"}), name="kip")
    assert facts.family is None


@given(
    st.dictionaries(st.text(max_size=40), st.lists(st.integers(0, 4096), max_size=5).map(tuple), max_size=8),
    st.dictionaries(
        st.sampled_from(["modelhub.kind", "modelhub.family", "modelhub.schema", "modelspec.resolution", "ss_v2"]),
        st.text(max_size=20),
    ),
)
def test_no_table_is_so_strange_that_identifying_fails(shapes: tables.Shapes, metadata: dict[str, str]) -> None:
    assert isinstance(identify(tables.table(shapes, metadata), name="x").kind, Kind)


@pytest.mark.parametrize("ending", ["lora_down.weight", "lora_A.weight", "decoder.conv_in.weight", "conv_in.weight"])
@pytest.mark.parametrize("shape", [(), (4,), (4, 4, 4, 4, 4)])
def test_shapes_of_a_wrong_rank_are_survived(ending: str, shape: tuple[int, ...]) -> None:
    shapes = {f"{AT}.{ending}": shape, f"{AT}.lora_up.weight": shape, f"{AT}.lora_B.weight": shape, ending: shape}
    assert isinstance(identify(tables.table(shapes), name="x").kind, Kind)
