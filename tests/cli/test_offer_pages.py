"""The page on a model that is not held shows what it draws."""

import pytest

from tests.cli.conftest import Run
from tests.servers.civitai import Civitai


def test_a_model_that_is_not_held_is_shown_with_examples(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with Civitai() as hub:
        for name, value in hub.environ.items():
            monkeypatch.setenv(name, value)
        model = hub.model()
        version = hub.version(model, files=[hub.file(b"kip")], trainedWords=["kip"])
        hub.post(version, hub.image(meta={"prompt": "kip,\nred scarf", "seed": 7, "steps": 20, "sampler": "Euler a"}))
        page = run("show", f"civitai:{model['id']}")
        shown = run("show", f"civitai:{model['id']}", "--json").json
    assert "\nexamples\n  kip, red scarf  (seed 7, 20 steps, Euler a)\n" in page.out
    assert shown["examples"] == ["kip, red scarf  (seed 7, 20 steps, Euler a)"]


def test_a_model_without_examples_has_no_such_section(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with Civitai() as hub:
        for name, value in hub.environ.items():
            monkeypatch.setenv(name, value)
        model = hub.model()
        hub.version(model, files=[hub.file(b"kip")])
        page = run("show", f"civitai:{model['id']}")
    assert page.code == 0
    assert "examples" not in page.out
