"""Captions -> what a UNet reads, by the base's own text encoders."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from inference.conditioning.encoding import Encoding, stacked
from inference.conditioning.reading import Reading
from inference.plan import ModelPlan
from inference.prompt.chunks import CHUNK, COMMA_BACKTRACK, Chunk
from inference.prompt.embeddings import Embedding, EmbeddingNames
from inference.shelf import Shelf
from modelhub.jobs import Progress
from trainers.caches import Counts, TextCache, weights_digest
from trainers.material.encoders import TextEncoders, text_encoders
from trainers.recipe import CaptionOptions

__all__ = ["Texts"]

_RESIDENT = 2 << 30
"""Bytes of encodings that a GPU keeps; more of them wait in the machine's memory."""
_AT_ONCE = 32
"""Captions that a GPU encodes together; a processor gains nothing by more than one."""


class Texts:
    """The text encoders as they now are, with the new words that a method teaches them."""

    def __init__(
        self, plan: ModelPlan, models: Mapping[str, nn.Module], words: Mapping[str, Mapping[str, Tensor]], *,
        clip_skip: int, learns: bool, captions: CaptionOptions | None = None, folder: Path | None = None,
        room: int = 256 << 20,
    ) -> None:  # fmt: skip
        """`learns` says that encodings change from step to step; else each is computed once, and kept in `folder`.

        `captions` says how many tokens are read, and whether brackets are weights; `room` is how many bytes are kept
        of captions that come otherwise each time.
        """
        captions = captions or CaptionOptions()
        named = next(iter(words.values()), {})
        self._reading = Reading(
            emphasis="Original" if captions.weights else "None",
            comma_backtrack=0 if captions.tokens == CHUNK else COMMA_BACKTRACK,
            embeddings=EmbeddingNames([Embedding(name, len(vectors)) for name, vectors in named.items()]),
        )
        self._most = captions.tokens // CHUNK
        self._encoders: TextEncoders | None = text_encoders(plan, models, words, clip_skip)
        self._device = self._encoders.device
        self.learns = learns
        """Whether encodings change from step to step."""
        self._kept: dict[str, Encoding] = {}
        self._recent: Shelf[Encoding] = Shelf(room)
        self._cache = (
            TextCache(folder, self._reader(plan, self._encoders)) if folder and not (learns or words) else None
        )

    @property
    def counts(self) -> Counts:
        """What the cache on disk was good for."""
        return self._cache.counts if self._cache else Counts()

    @property
    def has_encoders(self) -> bool:
        """Whether they were not let go of."""
        return self._encoders is not None

    def encode(self, captions: Sequence[str]) -> Encoding:
        """A row each, all as long as the longest: the shorter ones go on with what an empty caption says."""
        if self.learns:
            return self._together(captions)
        rows = [self._row(caption) for caption in captions]
        longest = max(row.tokens.shape[1] for row in rows)
        found = stacked([self._lengthened(row, longest) for row in rows])
        return _on(self._device, found)

    def is_cut_off(self, caption: str) -> bool:
        """Whether it has more tokens than are read."""
        return len(self._reading.read([caption]).chunks[0]) > self._most

    def tokens(self, caption: str) -> int:
        """How many rows of an encoding are a caption's own: what follows is there to make captions equally long."""
        return len(self._chunks(caption)) * (CHUNK + 2)

    def keep(self, captions: Sequence[str]) -> Iterator[Progress]:
        """Encode captions for good, unless they are on disk; the empty one is always among them."""
        wanted = dict.fromkeys(["", *captions])
        missing = [one for one in wanted if not self._stored(one)]
        yield Progress("captions", len(wanted) - len(missing), len(wanted), "captions")
        for batch in self._batches(missing):
            for caption, row in zip(batch, self._computed(batch), strict=True):
                self._kept[caption] = row
                if self._cache:
                    self._cache.put(caption, row)
            yield Progress("captions", len(self._kept), len(wanted), "captions")
        fits = sum(row.nbytes for row in self._kept.values()) <= _RESIDENT
        place = self._device if fits else torch.device("cpu")
        self._kept = {caption: _on(place, row) for caption, row in self._kept.items()}

    def forget_encoders(self) -> None:
        """Let go of the models: from here on only captions that were kept can be encoded."""
        self._encoders = None

    def _stored(self, caption: str) -> bool:
        if found := self._cache and self._cache.get(caption):
            self._kept[caption] = found
        return bool(found)

    def _batches(self, captions: Sequence[str]) -> Iterator[Sequence[str]]:
        """Those of one length together."""
        lengths = [len(self._chunks(caption)) for caption in captions]
        at_once = 1 if self._device.type == "cpu" else _AT_ONCE
        for length in sorted(set(lengths)):
            alike = [caption for caption, own in zip(captions, lengths, strict=True) if own == length]
            yield from (alike[start : start + at_once] for start in range(0, len(alike), at_once))

    def _row(self, caption: str) -> Encoding:
        if caption in self._kept:
            return self._kept[caption]
        found = self._recent.take(caption)
        if found is None:
            (found,) = self._computed([caption])
            self._recent.make_room(found.nbytes)
            self._recent.put(caption, found, found.nbytes)
        return found

    def _lengthened(self, row: Encoding, tokens: int) -> Encoding:
        missing = tokens - row.tokens.shape[1]
        if not missing:
            return row
        empty = self._row("").tokens
        filled = [row.tokens, *[empty.to(row.tokens.device)] * (missing // empty.shape[1])]
        return Encoding(torch.cat(filled, dim=1), row.pooled)

    def _computed(self, captions: Sequence[str]) -> list[Encoding]:
        """A row each, of captions that come to equally many chunks; the same wherever it is asked."""
        with torch.inference_mode(False), torch.no_grad(), torch.autocast(self._device.type, enabled=False):
            found = self._encoded([self._chunks(caption) for caption in captions])
        pooled = [None] * len(captions) if found.pooled is None else torch.split(found.pooled, 1)
        return [Encoding(*pair) for pair in zip(torch.split(found.tokens, 1), pooled, strict=True)]

    def _together(self, captions: Sequence[str]) -> Encoding:
        """In one pass, with gradients; a caption that stands there twice is encoded once."""
        unique = list(dict.fromkeys(captions))
        texts = [self._chunks(caption) for caption in unique]
        longest = max(map(len, texts))
        found = self._encoded([[*text, *self._chunks("") * (longest - len(text))] for text in texts])
        order = torch.tensor([unique.index(caption) for caption in captions], device=self._device)
        return Encoding(found.tokens[order], None if found.pooled is None else found.pooled[order])

    def _encoded(self, texts: Sequence[Sequence[Chunk]]) -> Encoding:
        if self._encoders is None:
            raise RuntimeError("the text encoders were let go of before every caption was kept")
        return self._encoders.encode(texts, self._reading)

    def _chunks(self, caption: str) -> list[Chunk]:
        return list(self._reading.read([caption]).chunks[0][: self._most])

    def _reader(self, plan: ModelPlan, encoders: TextEncoders) -> str:
        """All that decides an encoding but its caption."""
        read = [
            (clip.layer, clip.normed, clip.padding, weights_digest(clip.module, plan.parts[role].config))
            for role, clip in encoders.by_role.items()
        ]
        return repr((read, self._reading.emphasis, self._reading.comma_backtrack, self._most))


def _on(device: torch.device, encoding: Encoding) -> Encoding:
    """There; on the way to a GPU without waiting for it."""
    waits = device.type == "cpu"
    pooled = None if encoding.pooled is None else encoding.pooled.to(device, non_blocking=not waits)
    return Encoding(encoding.tokens.to(device, non_blocking=not waits), pooled)
