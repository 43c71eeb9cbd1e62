"""The questions that people have, and the answers that a licence gives."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["BURDENS", "QUESTIONS", "UNKNOWN", "Answer", "Licence"]


class Answer(StrEnum):
    """To a question about what is allowed. Unknown is not no, and never yes."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Licence:
    """What one model's licence says, as far as anybody told us."""

    name: str = ""
    """As hubs write it: ``creativeml-openrail-m``, ``apache-2.0``, ...; empty when nobody names one."""
    url: str | None = None
    sell_images: Answer = Answer.UNKNOWN
    """May pictures made with it be sold."""
    use_commercially: Answer = Answer.UNKNOWN
    """May a business run it as a service."""
    sell_model: Answer = Answer.UNKNOWN
    """May it, or a merge of it, be sold."""
    merge: Answer = Answer.UNKNOWN
    """May models be derived from it: merged, fine-tuned."""
    relicense: Answer = Answer.UNKNOWN
    """May what is derived carry another licence."""
    must_credit: Answer = Answer.UNKNOWN
    """Must its author be named."""
    restricts_use: Answer = Answer.UNKNOWN
    """Whether it forbids some uses (as the OpenRAIL licences do), for what is derived too."""
    because: tuple[str, ...] = ()
    """Who says so, a sentence each."""

    def answer(self, question: str) -> Answer:
        """To one of `QUESTIONS`."""
        return Answer(getattr(self, question))


UNKNOWN = Licence()
QUESTIONS = ("sell_images", "use_commercially", "sell_model", "merge", "relicense", "must_credit", "restricts_use")
"""The fields of a `Licence` that hold answers."""
BURDENS = frozenset({"must_credit", "restricts_use"})
"""The questions where no is the answer that leaves people free."""
