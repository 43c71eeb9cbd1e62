"""What a training makes of a dataset: it stops, or it says what it saw and goes on."""

from modelhub.errors import BadValue, MissingFile
from trainers.doctor.nouns import NOTHING_THERE, Orders, Report, Severity
from trainers.recipe import Recipe, TextualInversionOptions

__all__ = ["notices", "orders_of", "refuse"]


def orders_of(recipe: Recipe, native: int) -> Orders:
    """What a recipe asks of its pictures; `native` is the base's own resolution."""
    dataset = recipe.dataset
    wanted = dataset.resolution or native
    return Orders(
        resolutions=wanted if isinstance(wanted, tuple) else (wanted,),
        trigger=recipe.trigger,
        bucket_step=dataset.bucket_step,
        bucket_sides=dataset.bucket_sides,
        buckets=dataset.buckets,
        upscale=dataset.upscale,
        captioned=not isinstance(recipe.options, TextualInversionOptions) or recipe.options.templates == "captions",
        class_caption=recipe.prior.caption,
        prior_weight=recipe.prior.weight,
        drawn_priors=recipe.prior.draw,
    )


def refuse(report: Report) -> None:
    """Raise `BadValue` with everything that cannot work, each with its mend, or `MissingFile` where nothing is."""
    errors = report.of(Severity.ERROR)
    if not errors:
        return
    told = "".join(f"\n  and {one.what}\n    mend: {one.mend}" for one in errors[1:])
    kind = MissingFile if errors[0].code in NOTHING_THERE else BadValue
    raise kind(errors[0].what + told, mend=errors[0].mend)


def notices(report: Report) -> list[str]:
    """Warnings with their mends, as lines to show before a training starts; notes are for `dataset check`."""
    warnings = report.of(Severity.WARNING)
    return [f"{one.what} (mend: {one.mend})" for one in warnings]
