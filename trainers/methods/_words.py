"""New words: vectors that stand in a prompt where their token stands, and are all that learns of a text encoder.

The table of a text encoder stays as it is, so no other word can change; nothing has to be put back after a step.
"""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inference.conditioning.embeddings import read_vectors
from inference.plan import ModelPlan, plan_embedding
from inference.prompt.embeddings import Embedding, EmbeddingNames
from inference.prompt.tokenizer import tokenize
from inference.weights.parts import TEXT_ENCODER, TEXT_ENCODER_2, TEXT_ROLES
from inference.weights.pickles import read_pickle
from modelhub.errors import BrokenFile
from modelhub.kinds import Kind
from trainers.chance import generator
from trainers.methods._templates import TEMPLATES
from trainers.methods._trainee import Export, ParameterGroup
from trainers.recipe import Recipe, TextualInversionOptions

__all__ = ["Words"]

_TENSORS = {TEXT_ENCODER: "clip_l", TEXT_ENCODER_2: "clip_g"}
"""What webui calls the vectors for several text encoders; those for the only one are ``emb_params``."""

_MOVED = 1e-6
"""Of a vector's length: keeping it rounds by less."""


class Words(nn.Module):
    """The vectors of one token, float32, for every text encoder of a base."""

    def __init__(
        self, models: Mapping[str, nn.Module], plan: ModelPlan, recipe: Recipe, options: TextualInversionOptions
    ) -> None:
        super().__init__()
        self.token = recipe.token
        self._options = options
        self._plan = plan
        self._recipe = recipe
        self._names = EmbeddingNames([Embedding(self.token, options.vectors)])
        tables = {role: _table(models[role]) for role in TEXT_ROLES if role in models}
        self._norms = {role: table.float().norm(dim=1).median() for role, table in tables.items()}
        self.vectors = nn.ParameterDict({role: self._first(role, table) for role, table in tables.items()})
        self._firsts = {role: vectors.detach().clone() for role, vectors in self.vectors.items()}

    @property
    def spoken(self) -> Mapping[str, Mapping[str, Tensor]]:
        """Role -> token -> its vectors: what a `Trainee` gives as `words`."""
        return {role: {self.token: vectors} for role, vectors in self.vectors.items()}

    @property
    def group(self) -> ParameterGroup:
        options = self._options
        return ParameterGroup("words", list(self.vectors.values()), options.learning_rate, options.until)

    @property
    def calls(self) -> dict[str, str]:
        """What headers say of how a prompt calls for it: by the recipe's trigger, if there is one, and the token."""
        words = list(dict.fromkeys(filter(None, (self._recipe.trigger, self.token))))
        return {
            "modelspec.trigger_phrase": ", ".join(words),
            "modelhub.trigger_words": json.dumps(words, ensure_ascii=False),
        }

    def after_step(self, step: int) -> None:
        """As long as they learn, they are kept as long as the table's median row."""
        if not self._options.keep_norm or step > self._options.until * self._recipe.steps:
            return
        with torch.no_grad():
            for role, vectors in self.vectors.items():
                vectors.mul_(self._norms[role] / vectors.norm(dim=1, keepdim=True).clamp_min(1e-8))

    def phrase(self, caption: str, chance: random.Random) -> str:
        """What is said of a picture: one of the templates, or its caption, with the token before it if it lacks it."""
        if templates := TEMPLATES.get(self._options.templates):
            return chance.choice(templates).format(self.token)
        return caption if self._is_said_in(caption) else f"{self.token}, {caption}".rstrip(", ")

    def exports(self, formats: Sequence[str], *, ending: str = "") -> list[Export]:
        """Safetensors as webui and kohya have it, which is what is catalogued, and what else is asked for.

        They are float32 in any case: nothing else of a few kilobytes decides so much.
        """
        rows = {role: vectors.detach().float().cpu().clone() for role, vectors in self.vectors.items()}
        tensors = {_TENSORS[role]: one for role, one in rows.items()} if len(rows) > 1 else _named("emb_params", rows)
        metadata = {"ss_output_name": self.token, **self.calls}
        found = [Export(Kind.EMBEDDING, tensors, "kohya", metadata, ending)]
        if "diffusers" in formats and len(rows) == 1:  # of two text encoders diffusers reads webui's names
            found.append(Export(Kind.EMBEDDING, _named(self.token, rows), "diffusers", metadata, ending))
        if "a1111" in formats:
            pickled = self._pickled(tensors)
            found.append(Export(Kind.EMBEDDING, tensors, "a1111", {}, ending, ".pt", pickled=pickled))
        return found

    def check(self, export: Export, path: Path) -> bool:
        """The file gives the vectors that were trained, to the bit; raises `BrokenFile`."""
        written = list(read_pickle(path).values()) if export.suffix == ".pt" else self._written(path)
        trained = list(self.vectors.values())
        if len(written) != len(trained) or not all(
            torch.equal(one, other.detach().cpu()) for one, other in zip(written, trained, strict=True)
        ):
            raise BrokenFile(path, f"{self.token} reads back other than it was trained")
        return any(self._has_moved(role) for role in self.vectors)

    def _has_moved(self, role: str) -> bool:
        """Whether the vectors point elsewhere than in the beginning; their length is kept."""
        first, now = (F.normalize(one.detach().double(), dim=1) for one in (self._firsts[role], self.vectors[role]))
        return bool((first.to(now.device) - now).abs().max() > _MOVED)

    def _written(self, path: Path) -> list[Tensor]:
        """The vectors as `generate` reads them, a text encoder after the other."""
        planned = plan_embedding(path, self._plan, name=self.token)
        return [read_vectors([planned], role, torch.device("cpu"))[self.token] for role in self.vectors]

    def _first(self, role: str, table: Tensor) -> nn.Parameter:
        """Rows of the initial words, repeated or cut; else noise of the table's spread."""
        count = self._options.vectors
        if tokens := tokenize([self._options.initial])[0]:
            repeated = [tokens[place % len(tokens)] for place in range(count)]
            return nn.Parameter(table[repeated].detach().float().clone())
        noise = torch.randn(count, table.shape[1], generator=generator(self._recipe.seed, "words", role))
        return nn.Parameter(noise.to(table.device) * table.float().std())

    def _is_said_in(self, caption: str) -> bool:
        tokens = tokenize([caption])[0]
        return any(self._names.at(tokens, place) for place in range(len(tokens)))

    def _pickled(self, tensors: Mapping[str, Tensor]) -> dict[str, object]:
        """webui's own dict; the one for two text encoders holds their tensors side by side."""
        base = self._plan.model
        told = {
            "name": self.token,
            "step": self._recipe.steps,
            "sd_checkpoint": base.sha256[:10],
            "sd_checkpoint_name": base.name,
        }
        if len(tensors) > 1:
            return {**tensors, **told}
        (vectors,) = tensors.values()
        return {"string_to_token": {"*": 265}, "string_to_param": {"*": vectors}, **told}


def _table(text_encoder: nn.Module) -> Tensor:
    """[words, width]"""
    weight: Tensor = text_encoder.get_input_embeddings().weight  # type: ignore[operator]
    return weight


def _named(name: str, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
    (alone,) = rows.values()
    return {name: alone}
