"""One CLIP text encoder: chunks -> the states of one of its layers; prompts -> encodings for SD 1 and 2."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from inference.conditioning.encoding import Encoding
from inference.conditioning.reading import Reading
from inference.prompt.chunks import Chunk
from inference.prompt.tokenizer import EOS

__all__ = ["Clip", "ClipEncoder", "hidden_state"]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A text encoder, and what of it is read."""

    module: nn.Module
    layer: int = 1
    """Counted from the end; 1 is the last."""
    normed: bool = True
    """Whether through the final norm."""
    padding: int = EOS
    vectors: Mapping[str, Tensor] = field(default_factory=dict)
    """Embedding -> [vectors, width] in place of its tokens' own."""

    def states(self, chunks: Sequence[Sequence[Chunk]]) -> Tensor:
        """[texts, chunks, 77, width], a row of chunks a text."""
        return self._rows(chunks, self._output(chunks))

    def states_and_pooled(self, chunks: Sequence[Sequence[Chunk]]) -> tuple[Tensor, Tensor]:
        """The states, and each text as a whole, [texts, width]: its first chunk's end mark, projected."""
        output = self._output(chunks)
        last = output.last_hidden_state.view(len(chunks), len(chunks[0]), *output.last_hidden_state.shape[1:])[:, 0]
        ends = torch.tensor([text[0].tokens.index(EOS) for text in chunks], device=last.device)
        module: Any = self.module
        return self._rows(chunks, output), module.text_projection(last[torch.arange(len(chunks)), ends])

    def _output(self, chunks: Sequence[Sequence[Chunk]]) -> Any:
        flat = [chunk for text in chunks for chunk in text]
        device = next(self.module.parameters()).device
        with _spliced(self.module, flat, self.vectors):
            return self.module(self._tokens(flat).to(device), output_hidden_states=True)

    def _tokens(self, chunks: Sequence[Chunk]) -> Tensor:
        tokens = torch.tensor([chunk.tokens for chunk in chunks])
        ends = torch.tensor([[chunk.tokens.index(EOS)] for chunk in chunks])
        return tokens.masked_fill(torch.arange(tokens.shape[1]) > ends, self.padding)

    def _rows(self, chunks: Sequence[Sequence[Chunk]], output: Any) -> Tensor:
        states: Tensor = _layer(self.module, output, self.layer, normed=self.normed)
        return states.view(len(chunks), len(chunks[0]), *states.shape[1:])


class ClipEncoder:
    """Prompts -> what a UNet with one text encoder reads."""

    def __init__(self, clip: Clip, reading: Reading | None = None) -> None:
        self._clip = clip
        self._reading = reading or Reading()

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], *, negative: bool = False) -> list[Encoding]:
        """Of texts that belong together, all of one length; `negative` makes no difference."""
        read = self._reading.read(texts)
        rows = read.weighted(self._clip.states(read.chunks)).flatten(1, 2)
        return [Encoding(rows[index][None]) for index in read.order]


def hidden_state(text_encoder: nn.Module, tokens: Tensor, clip_skip: int) -> Tensor:
    """[N, 77] ids -> [N, 77, width]: the last layer, or one further from the end, always through the final norm."""
    return _layer(text_encoder, text_encoder(tokens, output_hidden_states=clip_skip > 1), clip_skip, normed=True)


def _layer(text_encoder: nn.Module, output: Any, layer: int, *, normed: bool) -> Tensor:
    if layer == 1 and normed:
        last: Tensor = output.last_hidden_state
        return last
    states: Tensor = output.hidden_states[-layer]
    return _within(text_encoder).final_layer_norm(states) if normed else states


@contextmanager
def _spliced(text_encoder: nn.Module, chunks: Sequence[Chunk], vectors: Mapping[str, Tensor]) -> Iterator[None]:
    """While it runs on these chunks, embeddings' vectors stand where their slots are."""

    def put(_module: nn.Module, _tokens: Any, embedded: Tensor) -> Tensor:
        embedded = embedded.clone()  # while activations are checkpointed it is a leaf, which must not be written to
        for row, chunk in enumerate(chunks):
            for slot in chunk.slots:
                embedded[row, slot.start : slot.start + slot.embedding.count] = vectors[slot.embedding.name]
        return embedded

    hook = _within(text_encoder).embeddings.token_embedding.register_forward_hook(put)
    try:
        yield
    finally:
        hook.remove()


def _within(text_encoder: nn.Module) -> Any:
    """Its layers: transformers before 5.6, and encoders that project, keep them one level down."""
    return getattr(text_encoder, "text_model", text_encoder)
