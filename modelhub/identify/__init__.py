"""Tensor table and header -> `Facts`. Pure: what a file is follows from its table and its name alone.

Every kind is a file here that offers a claim when all the facts it requires hold. The claim with the most
required facts wins; a test fails when two tie.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace

from modelhub.headers import TensorTable
from modelhub.identify._header import Header
from modelhub.identify._known import Claim, WeightFile
from modelhub.kinds import Evidence, Facts, Kind, Source
from modelhub.registry import members

__all__ = ["VERSION", "claims", "identify"]

VERSION = 2
"""Raised whenever more is known: what an older version identified is asked again at the next scan."""


def identify(table: TensorTable, *, name: str) -> Facts:
    """What the file is, each fact with the evidence it rests on. `name` is the file's stem.

    The tensors decide whatever shapes can tell, the header what they leave open; where the two disagree,
    `conflicts` says so. Unknown stays unknown.
    """
    header = Header(table.metadata)
    best = max(claims(table, name=name), key=lambda claim: claim.strength, default=None)
    facts = _completed(best.facts if best else Facts(), header)
    return replace(facts, conflicts=tuple(_conflicts(facts, header, table)))


def claims(table: TensorTable, *, name: str) -> list[Claim]:
    """What each kind makes of the file: those whose required facts all hold."""
    file = WeightFile(table, Header(table.metadata), name)
    offers = (kind.claim(file) for kind in members(sys.modules[__name__]))
    return [offer for offer in offers if offer is not None]


def _completed(facts: Facts, header: Header) -> Facts:
    """With what the header alone can know."""
    evidence = dict(facts.evidence)
    kind, resolution = header.kind(), header.resolution()
    if facts.kind is Kind.UNKNOWN and kind and kind.meaning:
        facts = replace(facts, kind=Kind(kind.meaning))
        evidence["kind"] = Evidence(Source.HEADER, f"{kind.key} is {kind.text}")
    if resolution:
        evidence["resolution"] = Evidence(Source.HEADER, f"modelspec.resolution is {resolution[0]}x{resolution[1]}")
    return replace(facts, resolution=resolution, evidence=evidence)


def _conflicts(facts: Facts, header: Header, table: TensorTable) -> Iterator[str]:
    if header.is_newer:
        yield f"its modelhub keys have the newer schema {table.metadata['modelhub.schema']!r}: they were not read"
    kind, prediction = header.kind(), header.prediction_type()
    if kind and kind.meaning != facts.kind:
        yield f"the header's {kind.key} says {kind.text!r}, the tensors say {facts.kind}"
    for said in header.families():
        if facts.family and said.meaning != facts.family:
            believed = facts.evidence["family"].source
            yield f"the header's {said.key} says {said.text!r}, by its {believed} it is {facts.family}"
    if prediction and prediction.meaning != "v" and "v_pred" in table.tensors:
        yield f"the header's {prediction.key} says {prediction.text!r}, the marker tensor v_pred says v"
