"""A plan follows from offers and from what is held alone: what to fetch, to keep, to refuse, and what to warn of."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.errors import (
    AccessDenied,
    BrokenFile,
    Conflict,
    LicenceForbids,
    ModelHubError,
    NotOffered,
    OutOfResources,
    UnsafeFile,
)
from modelhub.hubs import Gate, HubRef, Listing, RemoteFile, Scan
from modelhub.kinds import Kind
from modelhub.licences import Answer, Licence
from modelhub.pull import Fetch, Held, Keep, Offer, Policy, PullPlan, Refuse, Wish, plan

SHA256 = "ab" * 32
REF = HubRef("civitai", "12", "34", "56")
FREE = Licence("mit", sell_images=Answer.YES)
FILE = RemoteFile("kip.safetensors", "56", size=1000, digests={"sha256": SHA256}, scan=Scan.SAFE)
LISTING = Listing(REF, "kip", (FILE,), title="Kip", kind=Kind.LORA, family="sd1", licence=FREE, format="safetensors")


def offer(listing: Listing | None = LISTING, *, error: ModelHubError | None = None, **wish: object) -> Offer:
    return Offer(Wish(REF, **wish), listing, error=error)  # type: ignore[arg-type]


def with_file(**changes: object) -> Listing:
    return replace(LISTING, files=(replace(FILE, **changes),))  # type: ignore[arg-type]


def refusal(made: PullPlan) -> ModelHubError:
    (step,) = made.steps
    assert isinstance(step, Refuse)
    return step.error


def test_what_is_not_held_is_fetched() -> None:
    made = plan([offer()], free=10**12)
    assert [type(one) for one in made.steps] == [Fetch]
    assert (made.size, made.warnings) == (1000, ())


def test_what_is_held_by_its_bytes_is_kept() -> None:
    (step,) = plan([offer()], held=Held(by_sha256={SHA256: 3})).steps
    assert isinstance(step, Keep)
    assert step.artifact_id == 3


def test_what_came_from_there_is_kept() -> None:
    (step,) = plan([offer(with_file(digests={}))], held=Held(by_ref={str(REF): 3})).steps
    assert isinstance(step, Keep)


def test_what_has_other_bytes_there_now_is_fetched() -> None:
    held = Held(by_ref={str(REF): 3}, claimed={str(REF): "cd" * 32})
    assert plan([offer()], held=held).fetches


def test_a_hub_that_had_no_answer_is_told() -> None:
    error = NotOffered("there is no such model")
    assert refusal(plan([offer(None, error=error)])) is error


def test_one_listing_is_fetched_once() -> None:
    assert len(plan([offer(), offer()]).steps) == 1


def test_two_models_cannot_have_one_name() -> None:
    other = replace(LISTING, ref=HubRef("civitai", "13"))
    made = plan([offer(name="kip"), offer(other, name="kip")])
    assert [type(one) for one in made.steps] == [Fetch, Refuse]
    assert isinstance(made.steps[1].error, Conflict)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("listing", "error"),
    [
        (replace(LISTING, gate=Gate.GONE), NotOffered),
        (replace(LISTING, gate=Gate.NO_DOWNLOAD), AccessDenied),
        (replace(LISTING, gate=Gate.TOKEN), AccessDenied),
        (replace(LISTING, gate=Gate.APPROVAL), AccessDenied),
        (replace(LISTING, files=()), NotOffered),
        (with_file(scan=Scan.DANGER), UnsafeFile),
    ],
)
def test_what_cannot_or_must_not_come_is_refused(listing: Listing, error: type[ModelHubError]) -> None:
    assert type(refusal(plan([offer(listing)], policy=Policy(tokens=frozenset())))) is error


def test_a_refusal_for_want_of_a_token_says_how_to_get_one() -> None:
    error = refusal(plan([offer(replace(LISTING, gate=Gate.TOKEN))], policy=Policy(tokens=frozenset())))
    assert error.mend == "modelhub login civitai"


def test_who_has_a_token_may_try() -> None:
    assert plan([offer(replace(LISTING, gate=Gate.TOKEN))], policy=Policy(tokens=frozenset({"civitai"}))).fetches


@pytest.mark.parametrize("held", [Held(), Held(by_sha256={SHA256: 3})])
def test_a_licence_that_forbids_what_is_required_is_refused(held: Held) -> None:
    closed = replace(LISTING, licence=Licence("other", sell_images=Answer.NO))
    assert isinstance(refusal(plan([offer(closed)], held=held, policy=Policy(require="commercial"))), LicenceForbids)


def test_a_licence_that_allows_what_is_required_is_fine() -> None:
    assert plan([offer()], policy=Policy(require="commercial")).fetches


def test_what_does_not_fit_on_the_disk_is_refused_and_what_fits_is_not() -> None:
    small = replace(LISTING, ref=HubRef("civitai", "13"))
    large = with_file(size=10**12)
    made = plan([offer(large), offer(small)], free=10**9)
    assert [type(one) for one in made.steps] == [Refuse, Fetch]
    assert isinstance(made.steps[0].error, OutOfResources)  # type: ignore[union-attr]


def test_other_bytes_than_were_asked_for_are_refused_with_both_digests() -> None:
    error = refusal(plan([offer(sha256={"kip.safetensors": "cd" * 32})]))
    assert isinstance(error, BrokenFile)
    assert SHA256 in error.message
    assert "cd" * 32 in error.message


@pytest.mark.parametrize(
    ("listing", "said"),
    [
        (with_file(scan=Scan.PENDING), "has not scanned"),
        (with_file(digests={}), "cannot be verified"),
        (replace(LISTING, licence=Licence()), "nobody tells its licence"),
        (replace(LISTING, format="pickle"), "quarantine"),
        (replace(LISTING, gate=Gate.EARLY_ACCESS, gate_said="until May"), r"early access.*until May"),
    ],
)
def test_what_is_doubtful_is_told_before(listing: Listing, said: str) -> None:
    (warning,) = plan([offer(listing)]).warnings
    assert re.search(said, warning)


@pytest.mark.parametrize(("base", "count"), [("sd1", 0), ("sdxl", 1), (None, 0)])
def test_a_lora_for_another_base_is_warned_of(base: str | None, count: int) -> None:
    assert len(plan([offer()], policy=Policy(for_base=base)).warnings) == count


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 10**9), st.sampled_from(Gate), st.sampled_from(Scan))),
    st.sets(st.integers(1, 6)),
    st.integers(0, 3 * 10**9),
)
def test_whatever_is_offered_a_plan_fetches_only_what_is_new_open_harmless_and_fits(
    rows: list[tuple[int, int, Gate, Scan]], held: set[int], free: int
) -> None:
    offers = []
    for number, size, gate, scan in rows:
        ref = HubRef("civitai", str(number))
        file = replace(FILE, size=size, digests={}, scan=scan)
        offers.append(Offer(Wish(ref), replace(LISTING, ref=ref, gate=gate, files=(file,))))
    known = {f"civitai:{number}": number for number in held}
    made = plan(offers, held=Held(by_ref=known), free=free, policy=Policy(tokens=frozenset()))
    fetched = [one.listing for one in made.fetches]
    assert len({one.ref for one in fetched}) == len(fetched)
    assert not {str(one.ref) for one in fetched} & known.keys()
    assert all(one.gate is Gate.OPEN and one.scan is not Scan.DANGER for one in fetched)
    assert not fetched or made.size < free
    assert {one.offer.wish.ref for one in made.steps} == {one.wish.ref for one in offers}
