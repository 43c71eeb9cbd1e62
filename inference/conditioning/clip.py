"""Prompts -> CLIP text encodings with attention weights, the way stable-diffusion-webui makes them for SD 1."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from inference.conditioning.encoding import Encoding
from inference.conditioning.timeline import Guide, Timeline
from inference.prompt.attention import Emphasis, read_runs
from inference.prompt.chunks import COMMA_BACKTRACK, Chunk, chunk_runs
from inference.prompt.composition import split_parts
from inference.prompt.schedule import schedule
from inference.prompt.tokenizer import tokenize

__all__ = ["ClipEncoder", "hidden_state"]


class ClipEncoder:
    """A text encoder and the ways to read prompts with it."""

    def __init__(
        self,
        text_encoder: nn.Module,
        *,
        clip_skip: int = 1,
        emphasis: Emphasis = "Original",
        comma_backtrack: int = COMMA_BACKTRACK,
    ) -> None:
        """`clip_skip` counts layers from the end; 1 takes the last."""
        self._text_encoder = text_encoder
        self._clip_skip = clip_skip
        self._emphasis = emphasis
        self._comma_backtrack = comma_backtrack

    def guides(self, prompt: str, calls: int) -> tuple[Guide, ...]:
        """What a prompt asks for over `calls` calls of the model, a guide for each part between its ANDs."""
        return tuple(Guide(self.timeline(part.text, calls), part.weight) for part in split_parts(prompt))

    def timeline(self, prompt: str, calls: int) -> Timeline:
        """A prompt's spans with their encodings; AND is a word like any other."""
        spans = schedule(prompt, calls)
        return Timeline(spans, tuple(Encoding(one[None]) for one in self.encode([span.text for span in spans])))

    @torch.inference_mode()
    def encode(self, texts: Sequence[str]) -> list[Tensor]:
        """Encodings of texts that belong together, [77 * most chunks, width] each; a text given twice counts twice.

        Shorter ones get chunks of an empty prompt. Each token's encoding is multiplied by its weight; "Original"
        emphasis then scales the chunks that stand side by side, so that their common mean is what it was.
        """
        unique = list(dict.fromkeys(texts))
        order = [unique.index(text) for text in texts]
        chunks = _filled([self._chunks(text) for text in unique], self._chunks(""))
        encoded = self._encoded(chunks)
        if any(weight != 1.0 for text in chunks for chunk in text for weight in chunk.weights):
            weights = [[chunk.weights for chunk in text] for text in chunks]
            weighted = encoded * torch.tensor(weights, device=encoded.device, dtype=encoded.dtype)[..., None]
            if self._emphasis == "Original":
                weighted = weighted * (_means(encoded[order]) / _means(weighted[order]))
            encoded = weighted
        rows = encoded.flatten(1, 2)
        return [rows[index] for index in order]

    def _chunks(self, text: str) -> list[Chunk]:
        return chunk_runs(read_runs(text, self._emphasis), tokenize, comma_backtrack=self._comma_backtrack)

    def _encoded(self, chunks: Sequence[Sequence[Chunk]]) -> Tensor:
        """[texts, chunks, 77, width]"""
        device = next(self._text_encoder.parameters()).device
        tokens = torch.tensor([[chunk.tokens for chunk in text] for text in chunks], device=device)
        states = hidden_state(self._text_encoder, tokens.flatten(0, 1), self._clip_skip)
        return states.view(*tokens.shape, -1)


def hidden_state(text_encoder: nn.Module, tokens: Tensor, clip_skip: int) -> Tensor:
    """[N, 77] ids -> [N, 77, width]: the last layer, or one further from the end, always through the final norm."""
    if clip_skip == 1:
        state: Tensor = text_encoder(tokens).last_hidden_state
        return state
    hidden = text_encoder(tokens, output_hidden_states=True).hidden_states[-clip_skip]
    # transformers before 5.6 keeps the layers one level down
    layers: Any = getattr(text_encoder, "text_model", text_encoder)
    normed: Tensor = layers.final_layer_norm(hidden)
    return normed


def _filled(texts: Sequence[list[Chunk]], empty: list[Chunk]) -> list[list[Chunk]]:
    """As many chunks for each text as the longest one has."""
    most = max(map(len, texts))
    return [[*chunks, *empty * (most - len(chunks))] for chunks in texts]


def _means(encoded: Tensor) -> Tensor:
    """Of the chunks that stand side by side, [1, chunks, 1, 1]."""
    return encoded.mean(dim=(0, 2, 3), keepdim=True)
