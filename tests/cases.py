"""A file as identification sees it, and what it is known to be."""

from dataclasses import dataclass

from modelhub.identify import claims, identify
from modelhub.kinds import Facts, Kind
from tests import tables

__all__ = ["Case", "facts_of", "told", "top_claims"]


@dataclass(frozen=True)
class Case:
    """A file, and what it is known to be."""

    shapes: tables.Shapes
    expected: dict[str, object]
    metadata: dict[str, str] | None = None
    name: str = "model"


def facts_of(case: Case) -> Facts:
    return identify(tables.table(case.shapes, case.metadata), name=case.name)


def told(case: Case) -> dict[str, object]:
    """What identification says of the fields that the case knows; whatever it says must have its evidence."""
    facts = facts_of(case)
    known = {
        name
        for name in facts.__slots__
        if name not in ("evidence", "conflicts") and getattr(facts, name) not in (None, Kind.UNKNOWN)
    }
    assert known == facts.evidence.keys()
    return {field: getattr(facts, field) for field in case.expected}


def top_claims(case: Case) -> list[Facts]:
    """What the kinds with the strongest claim say: one of them, or two that tie."""
    found = claims(tables.table(case.shapes, case.metadata), name=case.name)
    top = max((claim.strength for claim in found), default=0)
    return [claim.facts for claim in found if claim.strength == top]
