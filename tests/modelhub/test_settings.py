"""Flag over environment over workspace over user, and nothing unknown is passed over."""

from pathlib import Path

import pytest

from modelhub.errors import BadValue
from modelhub.settings import DEVICES, Settings, read_settings, user_file


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
