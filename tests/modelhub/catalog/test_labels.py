"""Tags, notes and the owner's word on what a file is."""

from pathlib import Path

import pytest

from modelhub.catalog import Catalog, Query
from modelhub.catalog.saying import SAYABLE, parsed
from modelhub.errors import BadValue, MissingFile
from modelhub.kinds import Artifact, Kind, Source
from tests import tables


@pytest.fixture
def kip(catalog: Catalog, tmp_path: Path) -> Artifact:
    return catalog.add(tables.write(tmp_path / "kip.safetensors", tables.tiny_lora()), tags=["draft", "robot"])


def test_tags_come_and_go_and_searches_follow(catalog: Catalog, kip: Artifact) -> None:
    assert catalog.tag(1, "style").tags == ("draft", "robot", "style")
    assert catalog.untag(1, "draft", "never-there").tags == ("robot", "style")
    assert catalog.list(Query("draft")) == ()
    assert [one.id for one in catalog.list(Query(tag="style"))] == [1]


def test_a_note_is_kept_found_and_cleared(catalog: Catalog, kip: Artifact) -> None:
    assert catalog.set_note(1, " too soft, 很柔和 ").note == "too soft, 很柔和"
    assert [one.id for one in catalog.list(Query("柔和 soft"))] == [1]
    assert catalog.set_note(1, "").note == ""
    assert catalog.list(Query("柔和")) == ()


def test_the_owners_word_is_believed_and_the_contradiction_kept(catalog: Catalog, kip: Artifact) -> None:
    facts = catalog.say(1, {"family": "sdxl", "prediction_type": "v"}).facts
    assert (facts.family, facts.prediction_type, facts.evidence["family"].source) == ("sdxl", "v", Source.USER)
    assert facts.conflicts == ("you say family sdxl, by its tensors it is sd1",)
    assert [one.id for one in catalog.list(Query(family="sdxl"))] == [1]
    assert [one.id for one in catalog.list(Query("sdxl"))] == [1]


def test_a_second_word_replaces_the_first(catalog: Catalog, kip: Artifact) -> None:
    catalog.say(1, {"family": "sdxl", "variant": "turbo"})
    facts = catalog.say(1, {"family": "sd2"}).facts
    assert (facts.family, facts.variant) == ("sd2", "turbo")
    assert facts.conflicts == ("you say family sd2, by its tensors it is sd1",)


def test_a_word_that_is_taken_back_leaves_what_the_file_says(catalog: Catalog, kip: Artifact) -> None:
    catalog.say(1, {"family": "sdxl", "kind": Kind.VAE})
    facts = catalog.say(1, {"family": None}).facts
    assert (facts.family, facts.kind, set(facts.said)) == ("sd1", Kind.VAE, {"kind"})
    assert catalog.say(1, {"kind": None}).facts == kip.facts


def test_a_word_can_be_given_but_not_taken_back_without_the_file(catalog: Catalog, kip: Artifact) -> None:
    kip.path.unlink()
    assert catalog.say(1, {"family": "sdxl"}).facts.family == "sdxl"
    with pytest.raises(MissingFile):
        catalog.say(1, {"family": None})
    assert catalog.artifact(1).facts.family == "sdxl"


GOOD = {"kind": ("vae", Kind.VAE), "family": ("sdxl", "sdxl"), "variant": ("inpaint", "inpaint"),
        "algorithm": ("loha", "loha"), "prediction_type": ("v", "v"), "zero_snr": ("true", True),
        "resolution": ("1024x768", (1024, 768))}  # fmt: skip
BAD = {"kind": "lorra", "family": "sd15", "prediction_type": "w", "zero_snr": "1", "resolution": "big", "rank": "4"}


def test_every_field_that_can_be_said_is_read() -> None:
    assert {field: parsed(field, text) for field, (text, _) in GOOD.items()} == {
        field: value for field, (_, value) in GOOD.items()
    }
    assert GOOD.keys() == SAYABLE.keys()
    assert all(parsed(field, "") is None for field in SAYABLE)


@pytest.mark.parametrize(("field", "text"), BAD.items())
def test_a_word_that_means_nothing_is_refused(field: str, text: str) -> None:
    with pytest.raises(BadValue):
        parsed(field, text)
