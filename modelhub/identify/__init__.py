"""Tensor table and header -> `Facts`. Pure: what a file is follows from its table and its name alone.

Every kind is a file here that offers a claim when all the facts it requires hold. The claim with the most
required facts wins; a test fails when two tie.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from modelhub.families import family
from modelhub.headers import TensorTable
from modelhub.identify._header import Header
from modelhub.identify._known import Claim, WeightFile
from modelhub.identify._names import families_hinted, families_named
from modelhub.identify._weights import precision
from modelhub.kinds import Evidence, Facts, Kind, Source
from modelhub.registry import members

__all__ = ["VERSION", "claims", "identify"]

VERSION = 5
"""Raised whenever more is known: what an older version identified is asked again at the next scan."""


def identify(table: TensorTable, *, name: str, read: Callable[[str], bytes] | None = None) -> Facts:
    """What the file is, each fact with the evidence it rests on. `name` is the file's stem.

    The tensors decide whatever shapes can tell, the header what they leave open, the name what is left then; where
    they disagree, `conflicts` says so. Unknown stays unknown. `read` gives the bytes of a tensor: what SD2's models
    predict stands in the values of a small one alone.
    """
    file = WeightFile(table, Header(table.metadata), name, read)
    best = max(_offers(file), key=lambda claim: claim.strength, default=None)
    facts = _completed(best.facts if best else Facts(), file)
    return replace(facts, conflicts=tuple(_conflicts(facts, file)))


def claims(table: TensorTable, *, name: str) -> list[Claim]:
    """What each kind makes of the file: those whose required facts all hold."""
    return _offers(WeightFile(table, Header(table.metadata), name))


def _offers(file: WeightFile) -> list[Claim]:
    offers = (claim(file) for claim in _kinds())
    return [offer for offer in offers if offer is not None]


@cache
def _kinds() -> Sequence[Callable[[WeightFile], Claim | None]]:
    return tuple(kind.claim for kind in members(sys.modules[__name__]))


def _completed(facts: Facts, file: WeightFile) -> Facts:
    """With what all kinds have in common: how the weights are stored, and what the header alone can know."""
    evidence = dict(facts.evidence)
    kind, resolution, stored = file.header.kind(), file.header.resolution(), precision(file)
    if facts.kind is Kind.UNKNOWN and kind and kind.meaning:
        facts = replace(facts, kind=Kind(kind.meaning))
        evidence["kind"] = Evidence(Source.HEADER, f"{kind.key} is {kind.text}")
    if resolution:
        evidence["resolution"] = Evidence(Source.HEADER, f"modelspec.resolution is {resolution[0]}x{resolution[1]}")
    if stored:
        evidence["precision"] = Evidence(stored.source, stored.detail)
    return replace(facts, resolution=resolution, precision=stored.value if stored else None, evidence=evidence)


def _conflicts(facts: Facts, file: WeightFile) -> Iterator[str]:
    header, metadata = file.header, file.table.metadata
    if header.is_newer:
        yield f"its modelhub keys have the newer schema {metadata['modelhub.schema']!r}: they were not read"
    kind, prediction = header.kind(), header.prediction_type()
    if kind and kind.meaning != facts.kind:
        yield f"the header's {kind.key} says {kind.text!r}, the tensors say {facts.kind}"
    for said in header.families():
        if facts.family and said.meaning and said.meaning != facts.family:
            believed = facts.evidence["family"].source
            yield f"the header's {said.key} says {said.text!r}, by its {believed} it is {facts.family}"
    if prediction and prediction.meaning != "v" and "v_pred" in file.table.tensors:
        yield f"the header's {prediction.key} says {prediction.text!r}, the marker tensor v_pred says v"
    yield from _misnamed(facts, file.name)


def _misnamed(facts: Facts, name: str) -> Iterator[str]:
    """A name that says two families says nothing."""
    named = families_named(name)
    if facts.family and len(named) == 1 and facts.family not in named | families_hinted(name):
        believed = facts.evidence["family"].source
        yield f"the name says {family(*named).title}, by its {believed} it is {family(facts.family).title}"
