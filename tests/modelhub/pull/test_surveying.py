"""Hubs are asked for each wish, and among what they offer the choice of the wish decides."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from modelhub.errors import NotOffered, Unreachable
from modelhub.hubs import Hub, HubRef, Listing, RemoteFile
from modelhub.jobs import drain
from modelhub.pull import Choice, Wish, choose, offered, survey


def listing(name: str, **told: object) -> Listing:
    found = Listing(HubRef("civitai", name), name, (RemoteFile(f"{name}.safetensors", name),), format="safetensors")
    return replace(found, **told)  # type: ignore[arg-type]


HALF = listing("kip-fp16", precision="fp16", pruned=True)
FULL = listing("kip", precision="fp32", pruned=False)
PICKLE = replace(listing("kip-old"), format="pickle", files=(RemoteFile("old/kip.ckpt", "4"),))
ALL = (HALF, FULL, PICKLE)


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (Choice(), HALF),
        (Choice(precision="fp32"), FULL),
        (Choice(precision="FP16"), HALF),
        (Choice(format="pickle"), PICKLE),
        (Choice(pruned=False), FULL),
        (Choice(file="KIP.safetensors"), FULL),
        (Choice(file="*.ckpt"), PICKLE),
        (Choice(file="kip-old"), PICKLE),
    ],
)
def test_the_best_that_fits_the_choice_is_taken(choice: Choice, chosen: Listing) -> None:
    assert choose(ALL, choice) is chosen


def test_where_a_hub_tells_no_precision_the_name_does() -> None:
    assert choose([listing("a"), listing("a-fp16")], Choice(precision="fp16")).name == "a-fp16"


def test_a_choice_that_nothing_fits_names_what_there_is() -> None:
    with pytest.raises(NotOffered, match=r"kip-fp16.safetensors \(fp16 safetensors pruned\); kip.safetensors"):
        choose(ALL, Choice(precision="fp8"))


class FakeHub:
    """Offers these for every address but one that fails."""

    def listings(self, ref: HubRef) -> Sequence[Listing]:
        if ref.model == "down":
            raise Unreachable("no answer")
        return ALL


def test_a_hub_that_fails_for_one_wish_answers_the_others() -> None:
    wishes = [Wish(HubRef("civitai", "down")), Wish(HubRef("civitai", "kip"))]
    failed, found = drain(survey(wishes, hubs=lambda _: _as_hub(FakeHub())))
    assert isinstance(failed.error, Unreachable)
    assert (found.listing, found.others) == (HALF, (FULL, PICKLE))


def test_what_is_offered_instead_is_told_with_the_error() -> None:
    offer = offered(Wish(HubRef("civitai", "kip"), choice=Choice(file="nope")), hubs=lambda _: _as_hub(FakeHub()))
    assert isinstance(offer.error, NotOffered)
    assert offer.others == ALL


def _as_hub(fake: FakeHub) -> Hub:
    return fake  # type: ignore[return-value]
