"""`login` and `logout`: a token is checked before it is kept, and shown nowhere."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.commands import doctor
from tests.cli.conftest import Run, Terminal
from tests.servers.civitai import Civitai
from tests.servers.huggingface import HuggingFace

TOKEN = "sentinel-token-0001"


@pytest.fixture
def civitai(monkeypatch: pytest.MonkeyPatch) -> Iterator[Civitai]:
    with Civitai(tokens={TOKEN: "ada"}) as hub:
        for name, value in hub.environ.items():
            monkeypatch.setenv(name, value)
        yield hub


@pytest.fixture
def huggingface(monkeypatch: pytest.MonkeyPatch) -> Iterator[HuggingFace]:
    with HuggingFace() as hub:
        hub.users[TOKEN] = "ada"
        for name, value in hub.environ.items():
            monkeypatch.setenv(name, value)
        yield hub


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Says what stands at standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


Reads = Callable[[str], None]


def test_a_token_is_checked_and_kept(run: Run, civitai: Civitai, read: Reads, tmp_path: Path) -> None:
    read(f"{TOKEN}\n")
    said = run("login", "civitai", "--token-stdin")
    kept = tmp_path / "xdg" / "modelhub" / "tokens" / "civitai"
    assert said.code == 0, said.err
    assert said.out == f"Civitai knows you as ada (free, active); the token is kept in {kept}\n"
    assert kept.read_text() == TOKEN
    assert [one.path for one in civitai.requests] == ["/api/v1/me"]
    assert TOKEN not in said.out + said.err


def test_a_huggingface_token_is_kept_where_its_client_keeps_it(
    run: Run, huggingface: HuggingFace, read: Reads, tmp_path: Path
) -> None:
    read(TOKEN)
    said = run("login", "hf", "--json")
    assert said.code == 0, said.err
    assert said.json["account"] == "ada"
    assert Path(said.json["kept_in"]) == tmp_path / "xdg" / "huggingface" / "token"
    assert Path(said.json["kept_in"]).read_text() == TOKEN


def test_a_bad_token_is_not_kept(run: Run, civitai: Civitai, read: Reads, tmp_path: Path) -> None:
    read("another-token-0002")
    said = run("login", "civitai")
    assert said.code == 9
    assert "another-token-0002" not in said.out + said.err
    assert not (tmp_path / "xdg" / "modelhub").exists()


def test_a_bad_token_leaves_the_good_one_alone(run: Run, civitai: Civitai, read: Reads) -> None:
    for token in (TOKEN, "another-token-0002"):
        read(token)
        run("login", "civitai")
    assert run("login", "-q").out.split() == ["ada"]


@pytest.mark.parametrize("text", ["", "\n", "two words", "x" * 9999])
def test_what_is_no_token_is_refused_unasked(run: Run, civitai: Civitai, read: Reads, text: str) -> None:
    read(text)
    assert run("login", "civitai", "--token-stdin").code == 2
    assert civitai.requests == []


def test_a_person_is_asked_without_echo(run: Run, civitai: Civitai, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def prompt(text: str, **options: object) -> str:
        asked.append((text, options))
        return TOKEN

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("typer.prompt", prompt)
    said = run("login", "civitai")
    assert said.code == 0, said.err
    assert asked == [("token", {"hide_input": True, "err": True})]
    assert "https://civitai.com/user/account" in said.err


def test_a_token_is_never_an_argument(run: Run, civitai: Civitai) -> None:
    assert run("login", "civitai", TOKEN).code == 2
    assert run("login", "civitai", "--token", TOKEN).code == 2
    assert civitai.requests == []


def test_a_variable_that_wins_is_told(run: Run, civitai: Civitai, read: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIVITAI_TOKEN", "another-token-0002")
    read(TOKEN)
    said = run("login", "civitai")
    assert said.code == 0
    assert "CIVITAI_TOKEN is set and wins over it: unset CIVITAI_TOKEN" in said.err


@pytest.mark.parametrize("command", ["login", "logout"])
@pytest.mark.parametrize("hub", ["web", "folder", "nowhere", "../x"])
def test_where_nobody_logs_in_nobody_does(run: Run, read: Reads, command: str, hub: str) -> None:
    read(TOKEN)
    said = run(command, hub)
    assert said.code == 2
    assert "civitai|hf" in said.err


def test_without_a_hub_it_tells_who_we_are_at_each(
    run: Run, civitai: Civitai, huggingface: HuggingFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIVITAI_TOKEN", TOKEN)
    said = run("login", "--json")
    assert [(one["hub"], one["account"], one["kept_in"]) for one in said.json] == [
        ("civitai", "ada", "CIVITAI_TOKEN"),
        ("hf", None, None),
    ]
    assert "modelhub login hf" in run("login").out
    assert huggingface.requests == []


def test_a_hub_that_knows_nobody_does_not_hide_the_others(
    run: Run, civitai: Civitai, huggingface: HuggingFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIVITAI_TOKEN", "another-token-0002")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    said = run("login", "--json")
    assert said.code == 0
    assert [one["account"] for one in said.json] == [None, "ada"]


def test_a_token_for_nobody_is_not_read(run: Run) -> None:
    assert run("login", "--token-stdin").code == 2


def test_logout_deletes_what_was_kept(run: Run, civitai: Civitai, read: Reads, tmp_path: Path) -> None:
    read(TOKEN)
    run("login", "civitai")
    said = run("logout", "civitai")
    assert said.out == "the token for Civitai is deleted\n"
    assert "civitai.com/user/account" in said.err
    assert not (tmp_path / "xdg" / "modelhub" / "tokens" / "civitai").exists()
    assert run("logout", "civitai", "--json").json == {"hub": "civitai", "deleted": False}


def test_logout_tells_of_a_variable_that_stays(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert "unset HF_TOKEN" in run("logout", "hf").err


def test_doctor_tells_where_tokens_lie_and_of_one_that_others_can_read(
    run: Run, civitai: Civitai, read: Reads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_torch", lambda: iter(()))
    read(TOKEN)
    run("login", "civitai")
    kept = tmp_path / "xdg" / "modelhub" / "tokens" / "civitai"
    told = {one["what"]: one for one in run("doctor", "--json").json}
    assert str(kept) in told["token civitai"]["detail"]
    assert "modelhub login hf" in told["token hf"]["detail"]
    kept.chmod(0o644)
    told = {one["what"]: one for one in run("doctor", "--json").json}
    assert (told["token civitai"]["state"], told["token civitai"]["mend"]) == ("broken", f"chmod 600 {kept}")
