"""Flag over environment over workspace over user, and nothing unknown is passed over."""

from pathlib import Path

import pytest

from modelhub.errors import BadValue
from modelhub.settings import DEVICES, HubSettings, Settings, read_settings, user_file


def settings(tmp_path: Path, *, home: str | None = None, device: str | None = None, **environ: str) -> Settings:
    flags = {"home": home, "device": device}
    return read_settings(flags=flags, environ=environ, start=tmp_path / "here", user=tmp_path / "user.toml")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_every_source_gives_way_to_the_one_before_it(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    assert settings(tmp_path).device == "auto"
    write(tmp_path / "user.toml", 'device = "cpu"')
    assert settings(tmp_path).device == "cpu"
    write(tmp_path / "here" / "modelhub.toml", 'device = "cuda"')
    assert settings(tmp_path).device == "cuda"
    assert settings(tmp_path, MODELHUB_DEVICE="cpu").device == "cpu"
    assert settings(tmp_path, device="cuda", MODELHUB_DEVICE="cpu").device == "cuda"


def test_a_home_is_decided_by_flag_then_environment_then_place_then_user(tmp_path: Path) -> None:
    write(tmp_path / "user.toml", f'home = "{tmp_path / "users"}"')
    assert settings(tmp_path).home == tmp_path / "users"
    write(tmp_path / "here" / "modelhub.toml", "")
    assert settings(tmp_path).home == tmp_path / "here"
    assert settings(tmp_path, MODELHUB_HOME=str(tmp_path / "env")).home == tmp_path / "env"
    flagged = settings(tmp_path, home=str(tmp_path / "flag"), MODELHUB_HOME=str(tmp_path / "env"))
    assert flagged.workspace.root == tmp_path / "flag"


def test_the_workspace_that_home_names_is_asked_for_its_settings(tmp_path: Path) -> None:
    write(tmp_path / "env" / "modelhub.toml", 'device = "cpu"')
    assert settings(tmp_path, MODELHUB_HOME=str(tmp_path / "env")).device == "cpu"


@pytest.mark.parametrize("text", ["devise = 'cpu'", "device = 1", "device = ", "\xff"])
def test_an_entry_that_means_nothing_is_refused_naming_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "user.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadValue, match=r"user\.toml"):
        settings(tmp_path)


def test_an_unknown_device_is_refused_naming_the_known(tmp_path: Path) -> None:
    with pytest.raises(BadValue) as caught:
        settings(tmp_path, device="tpu")
    assert caught.value.mend
    assert all(device in caught.value.mend for device in DEVICES)


def test_the_users_file_lies_in_the_users_config_folder(tmp_path: Path) -> None:
    assert user_file() == tmp_path / "xdg" / "modelhub" / "config.toml"


def test_hubs_are_as_everybody_reaches_them_unless_something_is_said(tmp_path: Path) -> None:
    hubs = settings(tmp_path).hubs

    assert hubs == HubSettings()
    assert (hubs.huggingface, hubs.civitai) == ("https://huggingface.co", "https://civitai.com")
    assert hubs.allowed == ()


def test_the_environment_wins_over_the_users_file_in_what_is_said_of_hubs(tmp_path: Path) -> None:
    write(tmp_path / "user.toml", '[hubs]\nallow = ["NAS.local:8080"]\nrate = "5M"\nat_once = 2\nxet = true')

    at_home = settings(tmp_path).hubs
    assert (at_home.allow, at_home.rate, at_home.at_once, at_home.xet) == (("nas.local:8080",), 5e6, 2, True)
    here = settings(tmp_path, MODELHUB_ALLOW_HOSTS="10.0.0.5, box", MODELHUB_RATE="800kB", MODELHUB_XET="0").hubs
    assert (here.allow, here.rate, here.at_once, here.xet) == (("10.0.0.5", "box"), 8e5, 2, False)


def test_a_mirror_that_the_user_sets_is_allowed_by_that(tmp_path: Path) -> None:
    hubs = settings(tmp_path, HF_ENDPOINT="http://127.0.0.1:9000/", MODELHUB_TRUST_MIRRORS="1").hubs

    assert hubs.huggingface == "http://127.0.0.1:9000"
    assert hubs.allowed == ("127.0.0.1",)
    assert hubs.trust_mirrors


def test_a_workspace_cannot_say_where_tokens_go(tmp_path: Path) -> None:
    write(tmp_path / "here" / "modelhub.toml", '[hubs]\nhuggingface = "https://evil.example"')

    with pytest.raises(BadValue, match="not for a folder to say"):
        settings(tmp_path)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("HF_ENDPOINT", "ftp://mirror"),
        ("HF_ENDPOINT", "https://user:password@mirror"),
        ("MODELHUB_CIVITAI", "civitai.red"),
        ("MODELHUB_RATE", "fast"),
        ("MODELHUB_RATE", "-1M"),
        ("MODELHUB_AT_ONCE", "0"),
        ("MODELHUB_AT_ONCE", "1000"),
        ("MODELHUB_CONNECTIONS", "many"),
        ("MODELHUB_XET", "perhaps"),
    ],
)
def test_what_means_nothing_of_a_hub_is_refused_with_an_example(tmp_path: Path, variable: str, text: str) -> None:
    with pytest.raises(BadValue, match=variable) as refused:
        settings(tmp_path, **{variable: text})

    assert refused.value.mend is not None
    assert refused.value.mend.startswith("write ")


def test_an_unknown_entry_of_hubs_names_those_there_are(tmp_path: Path) -> None:
    write(tmp_path / "user.toml", "[hubs]\nspeed = 3")

    with pytest.raises(BadValue, match="speed") as refused:
        settings(tmp_path)

    assert "at_once" in str(refused.value.mend)
