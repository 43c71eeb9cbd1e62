"""What sees pictures is known by its tensors and by what lies beside it: encoders, captioners, taggers."""

import pytest

from modelhub.headers import BESIDE, INPUTS, OUTPUTS, TAGS
from modelhub.identify import identify
from tests import tables
from tests.cases import Case, told, top_claims

_LAYER = "encoder.layers.0.self_attn.q_proj.weight"


def clip_vision(width: int, under: str = "vision_model.") -> tables.Shapes:
    return {f"{under}embeddings.patch_embedding.weight": (width, 3, 14, 14), f"{under}{_LAYER}": (width, width)}


def siglip_vision(width: int, under: str = "vision_model.") -> tables.Shapes:
    return {**clip_vision(width, under), f"{under}head.probe": (1, 1, width)}


def dino(width: int, under: str = "") -> tables.Shapes:
    layer = f"{under}encoder.layer.0."
    return {
        f"{under}embeddings.patch_embeddings.projection.weight": (width, 3, 14, 14),
        f"{layer}layer_scale1.lambda1": (width,), f"{layer}attention.attention.query.weight": (width, width),
    }  # fmt: skip


_OPENCLIP: tables.Shapes = {
    "visual.conv1.weight": (1664, 3, 14, 14), "visual.transformer.resblocks.0.attn.in_proj_weight": (4992, 1664),
}  # fmt: skip
_ENCODERS = [
    (clip_vision(1280), "clip-vit-h"),
    (clip_vision(1024, ""), "clip-vit-l"),
    (_OPENCLIP, "clip-vit-g"),
    (siglip_vision(1152), "siglip-so400m"),
    (siglip_vision(768, ""), "siglip-b"),
    (dino(768), "dinov2-b"),
    (dino(1536, "dinov2."), "dinov2-g"),
    (dino(32), None),
]
_SEES = "vision_model.embeddings.patch_embedding.weight"
_ATTENTION = "encoder.layer.0.attention.self.query.weight"
_CROSS = "encoder.layer.0.crossattention.self.query.weight"
_CAPTIONERS: dict[str, tables.Shapes] = {
    "blip": {
        _SEES: (768, 3, 16, 16),
        f"text_decoder.bert.{_ATTENTION}": (768, 768), f"text_decoder.bert.{_CROSS}": (768, 768),
    },
    "git": {
        f"git.{_ATTENTION}": (768, 768), f"git.image_encoder.{_SEES}": (768, 3, 16, 16),
        "git.visual_projection.visual_projection.0.weight": (768, 768),
    },
    "vit-gpt2": {
        "encoder.embeddings.patch_embeddings.projection.weight": (768, 3, 16, 16),
        "decoder.transformer.h.0.attn.c_attn.weight": (768, 2304),
        "decoder.transformer.h.0.crossattention.c_attn.weight": (768, 1536),
    },
    "blip-2": {
        _SEES: (1408, 3, 14, 14), "query_tokens": (1, 32, 768), "language_projection.weight": (2560, 768),
        "qformer.encoder.layer.0.attention.attention.query.weight": (768, 768),
        "language_model.model.decoder.embed_tokens.weight": (50304, 2560),
        "language_model.model.decoder.layers.0.self_attn.q_proj.weight": (2560, 2560),
    },
    "florence2": {
        "model.vision_tower.convs.0.conv.weight": (128, 3, 7, 7),
        "model.language_model.shared.weight": (51289, 768),
        f"model.language_model.{_LAYER}": (768, 768),
        "model.multi_modal_projector.image_projection.weight": (768, 1024),
    },
}  # fmt: skip
_CHAT = {BESIDE: "preprocessor_config.json", "model_type": "llava", "image_token_index": "32000"}
_READS = {
    "language_model.model.embed_tokens.weight": (128320, 4096),
    f"language_model.model.{_LAYER[8:]}": (4096, 4096),
}
_TAGGER = {BESIDE: TAGS, INPUTS: "F32 [?, 448, 448, 3]", OUTPUTS: "F32 [?, 10861]"}


@pytest.mark.parametrize(("shapes", "algorithm"), _ENCODERS)
def test_what_only_sees_is_an_image_encoder(shapes: tables.Shapes, algorithm: str | None) -> None:
    case = Case(shapes, {"kind": "image_encoder", "algorithm": algorithm, "family": None, "variant": None})

    assert told(case) == case.expected
    assert [facts.kind for facts in top_claims(case)] == ["image_encoder"]


def test_a_siglip_with_both_halves_sees_and_is_no_clip() -> None:
    reads = {f"text_model.{name}": shape for name, shape in tables.clip_text().items()}
    case = Case({**reads, "text_model.head.weight": (768, 768), **siglip_vision(768)}, {"kind": "image_encoder"})

    assert told(case) == case.expected


def test_a_vision_transformer_that_was_trained_on_labels_is_not_taken_for_dino() -> None:
    shapes = {name: shape for name, shape in dino(768).items() if "layer_scale" not in name}

    assert told(Case(shapes, {"kind": "unknown"})) == {"kind": "unknown"}


@pytest.mark.parametrize("algorithm", _CAPTIONERS)
def test_what_says_what_it_sees_is_a_captioner(algorithm: str) -> None:
    case = Case(
        _CAPTIONERS[algorithm], {"kind": "captioner", "algorithm": algorithm, "format": "safetensors/transformers"}
    )

    assert told(case) == case.expected
    assert [facts.kind for facts in top_claims(case)] == ["captioner"]


@pytest.mark.parametrize(
    ("algorithm", "reads"),
    [
        ("blip", "text_encoder.embeddings.word_embeddings.weight"),
        ("blip-2", "qformer.embeddings.word_embeddings.weight"),
    ],
)
def test_a_blip_that_answers_questions_says_nothing_by_itself(algorithm: str, reads: str) -> None:
    shapes = {**_CAPTIONERS[algorithm], reads: (30524, 768)}

    assert "captioner" not in [facts.kind for facts in top_claims(Case(shapes, {}))]


def test_florence_in_its_authors_layout_is_told_from_that_of_transformers() -> None:
    shapes = {
        "image_projection": (1024, 768), "image_pos_embed.row_embeddings.weight": (50, 512),
        "vision_tower.convs.0.proj.weight": (128, 3, 7, 7), "language_model.model.shared.weight": (51289, 768),
        f"language_model.model.{_LAYER}": (768, 768),
    }  # fmt: skip
    case = Case(shapes, {"kind": "captioner", "algorithm": "florence2", "format": "safetensors/original"})

    assert told(case) == case.expected
    assert [facts.kind for facts in top_claims(case)] == ["captioner"]


def test_a_language_model_that_sees_is_a_captioner_with_all_that_it_needs() -> None:
    case = Case(_READS, {"kind": "captioner", "algorithm": "llava"}, _CHAT)

    assert told(case) == case.expected
    assert [facts.kind for facts in top_claims(case)] == ["captioner"]


@pytest.mark.parametrize("lacking", _CHAT)
def test_alone_it_is_what_families_read_with(lacking: str) -> None:
    shapes = {"language_model.model.embed_tokens.weight": (128320, 4096)}
    shapes["language_model.model.layers.0.self_attn.q_proj.weight"] = (4096, 4096)
    without = {key: text for key, text in _CHAT.items() if key != lacking}

    assert told(Case(shapes, {"kind": "text_encoder"}, without)) == {"kind": "text_encoder"}


def test_a_net_with_a_list_of_tags_is_a_tagger() -> None:
    case = Case({"w": (3, 10861)}, {"kind": "tagger", "format": "onnx/wd14", "precision": "F16"}, _TAGGER)

    assert told(case) == case.expected


def test_a_tagger_in_the_layout_of_its_training_is_one_too() -> None:
    config = {BESIDE: TAGS, "architecture": "swinv2_base_window8_256", "num_classes": "10861"}
    case = Case({"head.fc.weight": (10861, 1024)}, {"kind": "tagger", "algorithm": "swinv2_base_window8_256"}, config)

    assert told(case) == case.expected


@pytest.mark.parametrize(
    "metadata",
    [
        {**_TAGGER, BESIDE: ""},
        {**_TAGGER, INPUTS: "F32 [?, 3, 448, 448]"},
        {**_TAGGER, INPUTS: "F32 [?, 448, 448, 3]; F32 [1]"},
        {**_TAGGER, OUTPUTS: "F32 [?, 7, 7, 10861]"},
        {BESIDE: TAGS},
    ],
)
def test_other_nets_are_no_taggers(metadata: dict[str, str]) -> None:
    assert identify(tables.table({"w": (3, 7)}, metadata), name="net").kind == "unknown"
