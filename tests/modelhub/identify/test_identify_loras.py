"""LoRA-type files of every tool and algorithm, in real size, and what is known of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.kinds import Kind, Source
from tests import tables_loras as made
from tests.cases import Case, facts_of, told, top_claims

SD1 = made.kohya(made.sd_modules(), made.clip_modules())
SD2 = made.kohya(made.sd_modules(1024), made.clip_modules(1024, 23))
SDXL = made.kohya(made.ldm_named(made.sdxl_modules()), made.clip_modules(), made.clip_modules(1280, 32))
FLUX = made.kohya(made.flux_modules(), made.clip_modules())
ATTENTION = {name: size for name, size in made.sdxl_modules().items() if ".attn1." in name}
SD1_PARTS = {name: size for name, size in made.sd_modules().items() if "proj_" not in name}


def of(kind: dict[str, object], **more: object) -> dict[str, object]:
    return {"kind": "lora", **kind, **more}


DIALECTS = {
    "kohya, sd1": Case(
        made.lora(SD1), of({"family": "sd1", "format": "safetensors/kohya", "rank": 16, "context_width": 768})
    ),
    "kohya, sd2": Case(
        made.lora(SD2), of({"family": "sd2", "format": "safetensors/kohya", "context_width": 1024}, algorithm="lora")
    ),
    "kohya, sd2 for v": Case(
        made.lora(SD2), of({"family": "sd2", "prediction_type": "v"}), {"ss_base_model_version": "sd_v2_v"}
    ),
    "kohya, sdxl": Case(
        made.lora(SDXL), of({"family": "sdxl", "format": "safetensors/kohya", "context_width": 2048, "rank": 16})
    ),
    "kohya, sdxl without text": Case(
        made.lora(made.kohya(made.ldm_named(made.sdxl_modules()))), of({"family": "sdxl", "context_width": 2048})
    ),
    "kohya, sdxl in diffusers' names": Case(
        made.lora(made.kohya(made.sdxl_modules())), of({"family": "sdxl", "context_width": 2048})
    ),
    "kohya, sdxl's text alone": Case(
        made.lora({name: size for name, size in SDXL.items() if "_te" in name}),
        of({"family": "sdxl", "context_width": None}),
    ),
    "kohya, sdxl's self-attention alone": Case(
        made.lora(made.kohya(ATTENTION)), of({"family": "sdxl", "context_width": None})
    ),
    "kohya, the refiner": Case(
        made.lora(made.kohya(made.ldm_named(made.refiner_modules()))),
        of({"family": "sdxl-refiner", "context_width": 1280}),
    ),
    "kohya, flux": Case(
        made.lora(FLUX), of({"family": "flux1", "format": "safetensors/kohya", "context_width": None, "variant": None})
    ),
    "kohya, flux's T5": Case(
        made.lora(made.spelled("lora_te1_", made.clip_modules()) | made.spelled("lora_te3_", made.t5_modules())),
        of({"family": "flux1"}),
    ),
    "kohya, chroma": Case(
        made.lora(made.kohya(made.flux_modules(modulated=False))),
        of({"family": "chroma"}),
        {"ss_base_model_version": "chroma"},
    ),
    "kohya, flux or chroma": Case(
        made.lora(made.kohya(made.flux_modules(modulated=False))), of({"family": None, "algorithm": "lora"})
    ),
    "kohya, chroma with its guidance layer": Case(
        made.lora(
            made.kohya(made.flux_modules(modulated=False))
            | {"lora_unet_distilled_guidance_layer_layers_0_in_layer": (5120, 5120)}
        ),
        of({"family": "chroma"}),
    ),
    "kohya, flux2 klein 4b": Case(made.lora(made.kohya(made.flux2_modules())), of({"family": "flux2"})),
    "kohya, flux2 klein 9b": Case(made.lora(made.kohya(made.flux2_modules(4096, 8, 24))), of({"family": "flux2"})),
    "kohya, flux2 dev": Case(made.lora(made.kohya(made.flux2_modules(6144, 8, 48))), of({"family": "flux2"})),
    "kohya, sd3 medium": Case(made.lora(made.kohya(made.sd3_modules())), of({"family": "sd3"})),
    "kohya, sd3.5 large": Case(made.lora(made.kohya(made.sd3_modules(2432, 38))), of({"family": "sd3"})),
    "kohya, qwen": Case(made.lora(made.kohya(made.qwen_modules())), of({"family": "qwen-image"})),
    "kohya, z-image": Case(made.lora(made.kohya(made.z_image_modules())), of({"family": "z-image"})),
    "kohya, lumina 2": Case(made.lora(made.kohya(made.z_image_modules(26, 2304, 3840))), of({"family": "lumina2"})),
    "peft, sd1 with its text": Case(
        made.peft(made.under("unet.", SD1_PARTS) | made.under("text_encoder.", made.clip_modules()), 8),
        of({"family": "sd1", "format": "safetensors/peft", "rank": 8, "algorithm": "lora", "context_width": 768}),
    ),
    "peft, sdxl": Case(
        made.peft(made.under("unet.", made.sdxl_modules())), of({"family": "sdxl", "format": "safetensors/peft"})
    ),
    "peft, sdxl's second text encoder": Case(
        made.peft(made.under("text_encoder_2.", made.clip_modules(1280, 32))), of({"family": "sdxl"})
    ),
    "peft, the first text encoder of anyone": Case(
        made.peft(made.under("text_encoder.", made.clip_modules())), of({"family": None, "context_width": 768})
    ),
    "peft, as its own folder holds it": Case(
        made.peft(made.under("base_model.model.", made.sd_modules(1024))), of({"family": "sd2"})
    ),
    "peft, of the adapter called default": Case(
        made.peft(made.under("unet.", SD1_PARTS), 8, ("lora_A.default.weight", "lora_B.default.weight")),
        of({"family": "sd1", "format": "safetensors/peft", "rank": 8}),
    ),
    "peft, qwen": Case(made.peft(made.under("transformer.", made.qwen_modules())), of({"family": "qwen-image"})),
    "diffusers, as its processors are named": Case(
        made.old_diffusers(made.sd_modules()),
        of({"family": "sd1", "format": "safetensors/diffusers", "rank": 4, "context_width": 768}),
    ),
    "diffusers, with .lora.down": Case(
        made.peft(made.under("unet.", SD1_PARTS), 8, ("lora.down.weight", "lora.up.weight")),
        of({"family": "sd1", "format": "safetensors/diffusers", "rank": 8}),
    ),
    "diffusers, text encoder": Case(
        made.peft(
            made.under("text_encoder.", made.clip_modules(1024, 23)),
            8,
            ("lora_linear_layer.down.weight", "lora_linear_layer.up.weight"),
        ),
        of({"family": "sd2", "format": "safetensors/diffusers", "context_width": 1024}),
    ),
    "native, flux": Case(
        made.peft(made.under("diffusion_model.", made.flux_modules())),
        of({"family": "flux1", "format": "safetensors/native"}),
    ),
    "native, flux with kohya's endings": Case(
        made.lora(made.under("diffusion_model.", made.flux_modules())),
        of({"family": "flux1", "format": "safetensors/native"}),
    ),
    "native, z-image": Case(
        made.peft(made.under("diffusion_model.", made.z_image_modules())), of({"family": "z-image"})
    ),
    "native, flux for control": Case(
        made.peft(dict(made.flux_modules()) | {"img_in": (3072, 128)}), of({"family": "flux1", "variant": "control"})
    ),
    "onetrainer, flux": Case(
        made.lora(made.kohya(made.flux_modules(), front="lora_transformer_")),
        of({"family": "flux1", "format": "safetensors/onetrainer"}),
    ),
    "onetrainer, with an embedding": Case(
        made.lora(SDXL) | {"bundle_emb.kip.clip_l": (2, 768), "bundle_emb.kip.clip_g": (2, 1280)},
        of({"family": "sdxl", "format": "safetensors/onetrainer"}),
    ),
    "simpletuner, sdxl": Case(
        made.lokr(made.spelled("lycoris_", made.sdxl_modules())),
        of({"family": "sdxl", "format": "safetensors/lycoris", "algorithm": "lokr"}),
    ),
    "xlabs": Case(made.xlabs(), of({"family": "flux1", "format": "safetensors/xlabs", "algorithm": "lora"}, rank=16)),
}
NOT_TELLING = ("oft", "old oft", "boft", "ia3", "norms")
"""Algorithms whose tensors do not show the columns of a weight."""
ALGORITHMS = {
    f"{name}, {base}": Case(
        make(modules),
        of({"algorithm": algorithm, "rank": rank}, **({} if name in NOT_TELLING else {"family": base})),
    )
    for name, (make, algorithm, rank) in made.ALGORITHMS.items()
    for base, modules in {"sd1": SD1, "sdxl": SDXL}.items()
}
MIXTURES = {
    "lora and norms": Case(made.lora(SD1) | made.norms(dict(list(SD1.items())[:40])), of({"algorithm": "lora"})),
    "lokr and full": Case(
        made.full_lokr(SD1) | made.full({"lora_unet_conv_in": (320, 4)}), of({"algorithm": "lokr", "family": "sd1"})
    ),
    "oft of kohya's own": Case(made.oft(made.spelled("oft_unet_", made.sd_modules())), of({"algorithm": "oft"})),
    "loha with magnitudes": Case(
        made.loha(SD1) | {f"{name}.dora_scale": (rows, 1) for name, (rows, _) in SD1.items()}, of({"algorithm": "loha"})
    ),
}
CASES = DIALECTS | ALGORITHMS | MIXTURES


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_lora_is_what_it_is_known_to_be(case: Case) -> None:
    assert told(case) == case.expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_kind_claims_a_lora(case: Case) -> None:
    assert [facts.kind for facts in top_claims(case)] == [Kind.LORA]


def test_module_lists_are_as_long_as_trainers_print() -> None:
    counts = [len(made.sd_modules()), len(made.sdxl_modules()), len(made.flux_modules()), len(made.clip_modules())]
    assert counts == [192, 722, 304, 72]


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_a_narrow_lora_is_of_the_family_that_its_header_names(family: str) -> None:
    version = {"sd1": "sd_v1", "sdxl": "sdxl_base_v1-0"}[family]
    case = Case(made.lora(made.kohya(made.sd_modules(128))), {"family": family}, {"ss_base_model_version": version})
    assert told(case) == case.expected
    assert facts_of(case).evidence["family"].source is Source.HEADER


@pytest.mark.parametrize(("name", "family"), [("kip_chroma1", "chroma"), ("Kip-Flux", "flux1"), ("kip", None)])
def test_a_name_chooses_among_the_families_that_the_tensors_leave(name: str, family: str | None) -> None:
    facts = facts_of(Case(made.lora(made.kohya(made.flux_modules(modulated=False))), {}, name=name))
    assert facts.family == family
    assert family is None or facts.evidence["family"].source is Source.NAME


def test_a_name_cannot_choose_a_family_that_the_tensors_exclude() -> None:
    facts = facts_of(Case(made.lora(made.kohya(made.flux_modules(modulated=False))), {}, name="kip_sdxl"))
    assert facts.family is None


def test_a_header_cannot_choose_a_family_that_the_tensors_exclude() -> None:
    case = Case(made.lora(made.kohya(made.flux_modules(modulated=False))), {}, {"ss_base_model_version": "sd_v1"})
    assert facts_of(case).family is None


def test_a_header_that_names_another_family_is_told_as_a_conflict() -> None:
    facts = facts_of(Case(made.lora(SDXL), {}, {"ss_base_model_version": "sd_v1"}))
    assert facts.family == "sdxl"
    assert len(facts.conflicts) == 1


def test_what_lycoris_says_of_its_algorithm_is_told_where_the_tensors_say_otherwise() -> None:
    says = {"ss_network_args": '{"algo": "loha", "conv_dim": "8"}'}
    assert "says loha" in facts_of(Case(made.lokr(SD1), {}, says)).evidence["algorithm"].detail
    assert "says" not in facts_of(Case(made.loha(SD1), {}, says)).evidence["algorithm"].detail


@pytest.mark.parametrize("text", ["{", "[]", '{"algo": 3}', "[" * 100_000])
def test_strange_arguments_in_a_header_say_nothing(text: str) -> None:
    assert "says" not in facts_of(Case(made.lora(SD1), {}, {"ss_network_args": text})).evidence["algorithm"].detail


def test_a_block_s_number_of_thousands_of_digits_is_survived() -> None:
    at = f"lora_unet_down_blocks_0_attentions_0_transformer_blocks_{'9' * 5000}_attn2_to_k"
    assert facts_of(Case(made.lora({at: (320, 768)}), {})).kind is Kind.LORA


def test_the_lesser_part_of_a_mixture_stands_in_the_evidence() -> None:
    assert "40 are norm" in facts_of(MIXTURES["lora and norms"]).evidence["algorithm"].detail


def test_the_largest_rank_counts() -> None:
    shapes = made.lora(SD1, 4) | made.lora(dict(list(SD1.items())[100:101]), 64)
    assert facts_of(Case(shapes, {})).rank == 64


ENDINGS = sorted({name.rpartition(".")[2] for make, _, _ in made.ALGORITHMS.values() for name in make(SD1)})
FRONTS = ("lora_unet_down_blocks_0_attentions_0_transformer_blocks_3_attn2_to_k", "lora_te1_x", "diffusion_model.", "")
LAST = ("lora_down.weight", "lora_up.weight", "a1.weight", "b2.weight", "lora_A.default.weight", *ENDINGS)


@given(
    st.dictionaries(
        st.builds("{}.{}".format, st.sampled_from(FRONTS), st.sampled_from(LAST)),
        st.lists(st.integers(0, 4096), max_size=5).map(tuple),
        max_size=12,
    )
)
def test_no_shapes_are_so_strange_that_identifying_a_lora_fails(shapes: dict[str, tuple[int, ...]]) -> None:
    assert isinstance(facts_of(Case(shapes, {})).kind, Kind)
