"""Captioners: nets that say what a picture shows, and language models that see, as transformers saves them."""

from collections.abc import Iterable, Mapping, Sequence

from modelhub.headers import BESIDE
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.kinds import Kind, Source

_NETS: Mapping[str, Sequence[str]] = {
    "blip": (
        "vision_model.embeddings.patch_embedding.weight",
        "text_decoder.bert.encoder.layer.0.attention.self.query.weight",
        "text_decoder.bert.encoder.layer.0.crossattention.self.query.weight",
    ),
    "git": (
        "git.encoder.layer.0.attention.self.query.weight",
        "git.image_encoder.vision_model.embeddings.patch_embedding.weight",
        "git.visual_projection.visual_projection.0.weight",
    ),
    "vit-gpt2": (
        "encoder.embeddings.patch_embeddings.projection.weight",
        "decoder.transformer.h.0.attn.c_attn.weight",
        "decoder.transformer.h.0.crossattention.c_attn.weight",
    ),
    "blip-2": (
        "vision_model.embeddings.patch_embedding.weight",
        "qformer.encoder.layer.0.attention.attention.query.weight",
        "language_projection.weight",
    ),
    "florence2": (
        "model.vision_tower.convs.0.conv.weight",
        "model.language_model.encoder.layers.0.self_attn.q_proj.weight",
        "model.multi_modal_projector.image_projection.weight",
    ),
}
"""Architecture -> tensors that stand together there alone; none of them shares its bytes with another."""
_ORIGINAL: Mapping[str, Sequence[str]] = {
    "florence2": (
        "vision_tower.convs.0.proj.weight",
        "language_model.model.encoder.layers.0.self_attn.q_proj.weight",
        "image_projection",
    ),
}
"""The same as their authors save them, with code that reads them."""
_ANSWERS_QUESTIONS = (
    "text_encoder.embeddings.word_embeddings.weight",
    "qformer.embeddings.word_embeddings.weight",
)
"""BLIP that reads a question first, and InstructBLIP, describe nothing by themselves."""
_SEES = ("image_token_id", "image_token_index")
"""Where a language model that sees notes which word stands for a picture."""
_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
_REQUIRED = 3


def claim(file: WeightFile) -> Claim | None:
    tensors = file.table.tensors
    for layout, nets in (("transformers", _NETS), ("original", _ORIGINAL)):
        for name, requires in nets.items():
            if all(one in tensors for one in requires) and not any(one in tensors for one in _ANSWERS_QUESTIONS):
                why = f"{', '.join(requires)} are there"
                return _claimed(file, layout, f"it has {requires[-1]}", Known(name, Source.TENSORS, why))
    return _chat(file)


def _chat(file: WeightFile) -> Claim | None:
    """A whole one, with all that it takes to be asked; what is only read with stands in a folder without that."""
    metadata = file.table.metadata
    sees, looks = _first(_SEES, metadata), _first(_PROCESSORS, metadata.get(BESIDE, "").split())
    kind = metadata.get("model_type")
    if not (sees and looks and kind):
        return None
    because = f"config.json has {sees}, and {looks} is beside it"
    return _claimed(file, "transformers", because, Known(kind, Source.HEADER, f"config.json says {kind}"))


def _first(names: Iterable[str], among: Iterable[str]) -> str | None:
    held = set(among)
    return next((one for one in names if one in held), None)


def _claimed(file: WeightFile, layout: str, because: str, algorithm: Known) -> Claim:
    said = Known(f"{file.table.container}/{layout}", algorithm.source, f"it bears {layout} names")
    return Claim(_REQUIRED, stated(Kind.CAPTIONER, because, format=said, algorithm=algorithm))
