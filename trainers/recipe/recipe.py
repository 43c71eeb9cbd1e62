"""What to train, on what, and how."""

import hashlib
import json
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from trainers.recipe.dataset import PLACES, DatasetOptions
from trainers.recipe.learning import ComputeOptions, OptimizerOptions
from trainers.recipe.methods import (
    DEFAULTS,
    FORMATS,
    METHODS,
    FullOptions,
    LoraOptions,
    MethodOptions,
    TextualInversionOptions,
)
from trainers.recipe.objective import LossOptions, NoiseOptions, PriorOptions
from trainers.recipe.running import ExportOptions, LogOptions, PreviewOptions, SaveOptions, ValidationOptions
from trainers.recipe.section import Section

__all__ = ["SCHEMA", "Recipe"]

SCHEMA = 2
_LEAST_RATE, _MOST_RATE = 1e-12, 1e4
"""Beyond which no optimizer learns, whatever the model."""
_BESIDE = {"preview", "save", "name", "export", "log"}
"""What does not decide the weights."""


class Recipe(Section):
    """All that decides the weights; a resolved one has digests for references, and a number of steps."""

    method: Literal["lora", "textual_inversion", "full", "hypernetwork"] = "lora"
    """What is trained."""
    base: str
    """The checkpoint: any model reference; a SHA-256 once resolved."""
    vae: str | None = None
    """In place of the checkpoint's own."""
    name: str
    """Of the result, in the catalog and on disk."""
    trigger: str = ""
    """The word that shall call for what is learned; put before captions that lack it."""
    dataset: DatasetOptions
    options: MethodOptions = LoraOptions()
    """The method's own."""
    steps: int = Field(default=0, ge=0)
    """Optimizer steps; 0 counts them by `epochs`, or by the pictures."""
    epochs: int = Field(default=0, ge=0)
    """How often all pictures are seen, in place of `steps`."""
    steps_per_image: float = Field(default=100.0, gt=0)
    """Where neither is given, within `steps_range`."""
    steps_range: tuple[int, int] = (1000, 3000)
    """Fewest and most steps that are counted so."""
    batch: int = Field(default=2, ge=1)
    """Images a step, for each time that gradients are accumulated."""
    learning_rate: float = Field(default=5e-4, gt=0)
    """Of the UNet; a LoRA's is multiplied by alpha / rank."""
    text_encoder_learning_rate: float = Field(default=1e-4, ge=0)
    """0 leaves the text encoders as they are."""
    second_text_encoder_learning_rate: float | None = Field(default=None, ge=0)
    """SDXL's larger one; None is the first one's."""
    clip_skip: int = Field(default=1, ge=1, le=12)
    """Layer of the text encoder to read, from its end."""
    prediction: Literal["epsilon", "v", "flow"] | None = None
    """What the base learned to predict, where its file does not tell."""
    seed: int = Field(default=0, ge=0)
    """Of all chance."""
    optimizer: OptimizerOptions = OptimizerOptions()
    noise: NoiseOptions = NoiseOptions()
    loss: LossOptions = LossOptions()
    prior: PriorOptions = PriorOptions()
    compute: ComputeOptions = ComputeOptions()
    validation: ValidationOptions = ValidationOptions()
    preview: PreviewOptions = PreviewOptions()
    save: SaveOptions = SaveOptions()
    export: ExportOptions = ExportOptions()
    log: LogOptions = LogOptions()

    @model_validator(mode="before")
    @classmethod
    def _by_method(cls, fields: Any) -> Any:
        """The options are read as the method's, which has rates of its own too."""
        if not isinstance(fields, dict):
            return fields
        fields = {**DEFAULTS.get(str(fields.get("method")), {}), **fields}
        kind = METHODS.get(str(fields.get("method", "lora")))
        options = fields.get("options", {})
        return {**fields, "options": _options(kind, options)} if kind and isinstance(options, dict) else fields

    @model_validator(mode="after")
    def _options_of_method(self) -> Self:
        if not isinstance(self.options, METHODS[self.method]):
            raise ValueError(f"the options are not those of {self.method}")
        if isinstance(self.options, FullOptions) and self.options.keeps == "unet" and self.text_encoder_learning_rate:
            raise ValueError("a UNet alone does not hold what text encoders learn: keep the checkpoint")
        return self

    @model_validator(mode="after")
    def _learns_at_its_rates(self) -> Self:
        options = self.options.pivotal if isinstance(self.options, LoraOptions) else self.options
        rates = {
            "learning_rate": self.learning_rate,
            "text_encoder_learning_rate": self.text_encoder_learning_rate,
            "second_text_encoder_learning_rate": self.second_text_encoder_learning_rate,
            "the learning rate of new words": getattr(options, "learning_rate", None),
        }
        for entry, rate in rates.items():
            if rate and not _LEAST_RATE <= rate <= _MOST_RATE:
                effect = "moves no number" if rate < _LEAST_RATE else "ends in numbers without end"
                raise ValueError(f"{entry} is {rate:g}, which {effect}: rates lie between 1e-7 and 1")
        return self

    @model_validator(mode="after")
    def _takes_a_step(self) -> Self:
        least, most = self.steps_range
        if not 1 <= least <= most:
            raise ValueError(f"steps_range is from {least} to {most}: write the fewest steps first, and at least 1")
        return self

    @model_validator(mode="after")
    def _is_written(self) -> Self:
        """diffusers' pipelines read no other algorithm than LoRA, and webui's pickles hold words or nets alone."""
        algorithm = self.options.algorithm if isinstance(self.options, LoraOptions) else "lora"
        if algorithm != "lora" and "diffusers" in self.export.formats:
            raise ValueError(f"diffusers reads no {algorithm}: leave it out of export.formats")
        known = FORMATS[self.method]
        if isinstance(self.options, LoraOptions) and self.options.pivotal:
            known = FORMATS["textual_inversion"]
        if unknown := [one for one in self.export.formats if one not in known]:
            what = "checkpoint" if self.method == "full" else self.method.replace("_", " ")
            raise ValueError(f"a {what} is not written as {unknown[0]}: export.formats can be {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _teaches_words(self) -> Self:
        """Pictures without the new word say nothing of it."""
        dataset = self.dataset
        has_class = dataset.regularisation or any(one.regularisation for one in dataset.subsets)
        if self.method == "textual_inversion" and (has_class or self.prior.draw):
            raise ValueError("a new word changes nothing of the base: leave out the pictures of its class")
        return self

    def payload(self) -> dict[str, Any]:
        """As it is stored in the catalog."""
        return {"schema": SCHEMA, **self.model_dump(mode="json", exclude_none=True)}

    @property
    def token(self) -> str:
        """The new word that it teaches; empty where it teaches none."""
        options = self.options.pivotal if isinstance(self.options, LoraOptions) else self.options
        return options.token or self.trigger or self.name if isinstance(options, TextualInversionOptions) else ""

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides the weights; where pictures lie does not, since a dataset has its own digest."""
        deciding = self.model_dump(mode="json", exclude=_BESIDE)
        for one in (deciding["dataset"], *deciding["dataset"]["subsets"]):
            for place in PLACES:
                one.pop(place, None)
        deciding["prior"].pop("images")
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def _options(kind: type[MethodOptions], fields: dict[str, Any]) -> MethodOptions:
    """Errors are told as the recipe's own, below `options`."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        details = [
            InitErrorDetails(type=one["type"], loc=("options", *one["loc"]), input=one["input"], ctx=one.get("ctx", {}))
            for one in error.errors()
        ]
        raise ValidationError.from_exception_data("Recipe", details) from None
