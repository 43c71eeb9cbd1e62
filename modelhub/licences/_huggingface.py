"""What a model card on HuggingFace says, and what binds its model whatever the card says (pure)."""

from collections.abc import Sequence
from dataclasses import replace

from modelhub.licences._known import known, of_repository
from modelhub.licences._stack import bound_by
from modelhub.licences._terms import Licence

__all__ = ["from_huggingface"]


def from_huggingface(
    name: str | None, *, link: str | None = None, repository: str = "", bases: Sequence[str] = ()
) -> Licence:
    """The licence that the card names, bound by what is known of `repository` and of the repositories it is made from.

    Some authors name a licence and add terms to it on their page; many who trained on a model that nobody may use
    commercially write ``mit``.
    """
    licence = known(name, link=link)
    named, url = licence.name, licence.url
    for one in dict.fromkeys((repository, *bases)):
        if (base := of_repository(one)) and base.name != named:
            licence = bound_by(licence, replace(base, because=tuple(f"{one}: {reason}" for reason in base.because)))
    return replace(licence, name=named, url=url)
