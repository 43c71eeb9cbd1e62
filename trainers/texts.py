"""Captions -> what a UNet reads, by the base's own text encoders."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from inference.conditioning.clip import Clip
from inference.conditioning.encoding import Encoding, stacked
from inference.conditioning.reading import Reading
from inference.plan import ModelPlan
from inference.prompt.embeddings import Embedding, EmbeddingNames
from inference.prompt.readers import OPEN_CLIP_PADDING
from inference.prompt.tokenizer import EOS
from inference.weights.parts import TEXT_ENCODER, TEXT_ENCODER_2

__all__ = ["Texts"]

_PENULTIMATE = 2


class Texts:
    """The text encoders as they now are, with the new words that a method teaches them."""

    def __init__(
        self, plan: ModelPlan, models: Mapping[str, nn.Module], words: Mapping[str, Mapping[str, Tensor]], *,
        clip_skip: int, learns: bool,
    ) -> None:  # fmt: skip
        """`learns` says that encodings change from step to step; else each is computed once."""
        self._small, self._large = _clips(plan, models, words, clip_skip)
        named = next(iter(words.values()), {})
        names = EmbeddingNames([Embedding(name, len(vectors)) for name, vectors in named.items()])
        self._reading = Reading(emphasis="None", embeddings=names)
        self._kept: dict[tuple[str, int], Encoding] | None = None if learns else {}

    def encode(self, captions: Sequence[str]) -> Encoding:
        """A row each, all as long as the longest; brackets in captions are text, not weights."""
        if self._kept is None:
            return self._encoded(captions)
        length = len(self._reading.read(captions).chunks[0])
        for caption in captions:
            if (caption, length) not in self._kept:
                with torch.no_grad():
                    self._kept[caption, length] = self._encoded([caption], length)
        return stacked([self._kept[caption, length] for caption in captions])

    def _encoded(self, captions: Sequence[str], length: int = 0) -> Encoding:
        read = self._reading.read(captions)
        empty = self._reading.read([""]).chunks[0][0]
        chunks = [[*text, *[empty] * (length - len(text))] for text in read.chunks]
        order = torch.tensor(read.order)
        if self._large is None:
            assert self._small is not None
            return Encoding(self._small.states(chunks).flatten(1, 2)[order])
        states, pooled = self._large.states_and_pooled(chunks)
        if self._small:
            states = torch.cat([self._small.states(chunks), states], dim=-1)
        return Encoding(states.flatten(1, 2)[order], pooled[order])


def _clips(
    plan: ModelPlan, models: Mapping[str, nn.Module], words: Mapping[str, Mapping[str, Tensor]], clip_skip: int
) -> tuple[Clip | None, Clip | None]:
    """SDXL's two text encoders, or the only one of others; read as `generate` reads them."""

    def clip(role: str, layer: int, padding: int, *, normed: bool) -> Clip | None:
        return Clip(models[role], layer, normed, padding, words.get(role, {})) if role in models else None

    if TEXT_ENCODER_2 in models:
        small = clip(TEXT_ENCODER, _PENULTIMATE, EOS, normed=False)
        return small, clip(TEXT_ENCODER_2, _PENULTIMATE, OPEN_CLIP_PADDING, normed=False)
    is_sd2 = plan.family.name == "sd2"
    padding = OPEN_CLIP_PADDING if is_sd2 else EOS
    return clip(TEXT_ENCODER, 1 if is_sd2 else clip_skip, padding, normed=True), None
