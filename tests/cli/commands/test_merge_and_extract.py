"""`modelhub merge` and `modelhub extract`, as a person types them."""

import json
from pathlib import Path

import pytest

from cli.app import main
from modelhub.catalog import Catalog
from tests import tiny


@pytest.fixture(autouse=True)
def shelf(catalog: Catalog, tmp_path: Path) -> None:
    for seed, name in enumerate(("one", "two")):
        catalog.add(tiny.write_checkpoint(tmp_path / f"{name}.safetensors", seed=seed))


def test_two_are_summed_and_the_result_is_printed(catalog: Catalog, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", "one", "two", "-M", "0.4", "--name", "both", "--fp16", "-q"]) == 0

    made = catalog.artifact(int(capsys.readouterr().out))
    assert made.name == "both"
    assert made.path == catalog.workspace.models / "checkpoint" / "both.safetensors"
    assert made.facts.precision == "F16"


def test_a_dry_run_only_says_what_would_be_done(catalog: Catalog, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", "one", "two", "--dry-run"]) == 0

    assert capsys.readouterr().out.startswith("would write 0.7(one) + 0.3(two) (")
    assert not (catalog.workspace.models / "checkpoint").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["merge", "one"], "nothing would change"),
        (["merge", "one", "two", "one", "two"], "4 models cannot be merged at once"),
        (["merge", "one", "two", "--discard", "("], "no regular expression"),
        (["merge", "one", "none"], "'none'"),
        (["extract", "two", "--base", "one", "--rank", "0"], "--rank: input should be greater"),
        (["extract", "one", "--base", "one"], "do not differ"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) != 0
    assert said in capsys.readouterr().err


def test_a_lora_is_taken_out_under_the_tuned_models_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["extract", "two", "--base", "one", "--rank", "2", "--json"]) == 0

    made = json.loads(capsys.readouterr().out)
    assert (made["name"], made["facts"]["kind"], made["facts"]["rank"]) == ("two-lora", "lora", 2)
