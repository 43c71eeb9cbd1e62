"""Tokens are found where they should be, kept where nobody else reads, and shown to nobody."""

import copy
import json
import pickle
import stat
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from cli.render import jsonable
from modelhub.errors import BadValue, UnsafeFile
from modelhub.tokens import PLACES, Grant, Keyring, Secret, TokenStore, as_token
from modelhub.tokens._shelves import system_keyring

TOKEN = Secret("sentinel-0001")


class FakeKeyring:
    """Passwords in memory; one that `refuses` is like one that is locked."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.asked = 0
        self.refuses = refuses

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        self._check()
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        del self.held[service, username]

    def _check(self) -> None:
        if self.refuses:
            raise RuntimeError("locked")


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., TokenStore]:
    """Makes stores over one folder, as several processes would."""

    def made(keyring: Keyring | None = None, **environ: str) -> TokenStore:
        environ.setdefault("HF_HOME", str(tmp_path / "client"))
        return TokenStore(environ, tmp_path / "config", keyring=lambda: keyring)

    return made


Store = Callable[..., TokenStore]

# --- a secret


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, ascii])
def test_a_secret_shows_itself_to_nobody(show: Callable[[Secret], str]) -> None:
    assert "sentinel" not in show(TOKEN)


def test_a_secret_is_not_written_down() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(TOKEN)
    with pytest.raises(TypeError):
        json.dumps(jsonable(Grant(TOKEN, ())))
    assert "sentinel" not in repr(asdict(Grant(TOKEN, ("a",)))) + repr(Grant(TOKEN, ("a",)))
    assert not hasattr(TOKEN, "__dict__")


def test_a_secret_is_itself_and_equals_its_like() -> None:
    assert TOKEN.reveal() == "sentinel-0001"
    assert Secret("a") == Secret("a") != Secret("b") != "b"
    assert copy.deepcopy(TOKEN) is TOKEN
    assert len({Secret("a"), Secret("a")}) == 1


@pytest.mark.parametrize("text", ["", " ", "a b", "a\nb", "a\r\nX-Evil: 1", "ä", "\x00", "x" * 5000])
def test_what_cannot_be_a_token_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(BadValue) as caught:
        as_token(text, "HF_TOKEN")
    assert "HF_TOKEN" in caught.value.message
    assert not text.strip() or text not in caught.value.message


def test_blanks_around_a_token_are_no_part_of_it() -> None:
    assert as_token(" sentinel-0001\n", "x") == TOKEN


# --- where it is found


@pytest.mark.parametrize(("hub", "name"), [(hub, name) for hub, place in PLACES.items() for name in place.variables])
def test_the_environment_wins_over_what_was_kept(store: Store, hub: str, name: str) -> None:
    store().keep(hub, Secret("kept"))
    found = store(**{name: " sentinel-0001\n"}).found(hub)
    assert found is not None
    assert (found.token, found.origin) == (TOKEN, name)


def test_the_first_variable_that_is_set_is_taken(store: Store) -> None:
    assert store(CIVITAI_API_TOKEN=" ", CIVITAI_TOKEN="second", CIVITAI_API_KEY="third").find("civitai") == Secret(
        "second"
    )


def test_a_variable_that_holds_no_token_is_named(store: Store) -> None:
    with pytest.raises(BadValue, match="CIVITAI_TOKEN"):
        store(CIVITAI_TOKEN="two words").find("civitai")


@pytest.mark.parametrize("hub", ["civitai", "hf", "folder", "web", "../../etc"])
def test_nothing_is_found_where_nothing_was_kept(store: Store, hub: str) -> None:
    assert store().find(hub) is None
    assert store().forget(hub) is False


def test_a_token_to_be_tried_wins_over_all_and_is_not_kept(store: Store) -> None:
    first = store(CIVITAI_TOKEN="from-environment", HF_TOKEN="theirs")
    trying = first.with_token("civitai", TOKEN)
    assert trying.find("civitai") == TOKEN
    assert trying.find("hf") == Secret("theirs")
    assert first.find("civitai") == Secret("from-environment")
    assert store().find("civitai") is None


@pytest.mark.parametrize(
    "environ",
    [
        {"HF_TOKEN_PATH": "{}/elsewhere/mine"},
        {"HF_HOME": "{}/hf"},
        {"XDG_CACHE_HOME": "{}/cache", "HF_HOME": ""},
    ],
)
def test_huggingfaces_token_is_the_one_of_its_client(store: Store, tmp_path: Path, environ: dict[str, str]) -> None:
    environ = {name: text.format(tmp_path) for name, text in environ.items()}
    lies = Path(store(**environ).keep("hf", TOKEN))
    assert lies.relative_to(tmp_path).as_posix() in ("elsewhere/mine", "hf/token", "cache/huggingface/token")
    assert store(**environ).find("hf") == TOKEN
    assert lies.read_text() == "sentinel-0001"
    assert stat.S_IMODE(lies.stat().st_mode) == 0o600


def test_the_client_itself_finds_what_we_keep(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants, get_token

    monkeypatch.setattr(constants, "HF_TOKEN_PATH", store().keep("hf", TOKEN))
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(tmp_path / "client" / "stored_tokens"))
    assert get_token() == "sentinel-0001"


# --- where it is kept


def test_a_keyring_is_preferred_and_asked_once(store: Store, tmp_path: Path) -> None:
    store().keep("civitai", Secret("old"))
    ring = FakeKeyring()
    assert store(ring).keep("civitai", TOKEN) == "the system's keyring"
    assert ring.held == {("modelhub", "civitai"): "sentinel-0001"}
    assert not (tmp_path / "config" / "tokens" / "civitai").exists()
    later = store(ring)
    assert [later.find("civitai"), later.find("civitai")] == [TOKEN, TOKEN]
    assert ring.asked == 1


def test_a_keyring_that_refuses_leaves_it_to_the_file(store: Store) -> None:
    ring = FakeKeyring(refuses=True)
    where = store(ring).keep("civitai", TOKEN)
    assert Path(where).read_text() == "sentinel-0001"
    assert store(ring).find("civitai") == TOKEN
    assert store(ring).forget("civitai") is True


def test_the_file_is_its_owners_only(store: Store, tmp_path: Path) -> None:
    lies = Path(store().keep("civitai", TOKEN))
    assert stat.S_IMODE(lies.stat().st_mode) == 0o600
    assert stat.S_IMODE(lies.parent.stat().st_mode) == 0o700
    store().keep("civitai", Secret("newer"))
    assert [one.name for one in lies.parent.iterdir()] == ["civitai"]
    assert store().find("civitai") == Secret("newer")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_file_that_others_could_use_is_refused_with_what_mends_it(store: Store, mode: int) -> None:
    lies = Path(store().keep("civitai", TOKEN))
    lies.chmod(mode)
    with pytest.raises(UnsafeFile) as caught:
        store().find("civitai")
    assert caught.value.mend == f"chmod 600 {lies}"
    assert store().forget("civitai") is True


def test_keeping_is_seen_at_once_by_the_store_that_kept(store: Store) -> None:
    one = store()
    assert one.find("civitai") is None
    one.keep("civitai", TOKEN)
    assert one.find("civitai") == TOKEN
    assert one.forget("civitai") is True
    assert one.find("civitai") is None


def test_what_is_forgotten_is_gone_from_every_place(store: Store, tmp_path: Path) -> None:
    ring = FakeKeyring()
    store(ring).keep("civitai", TOKEN)
    store().keep("civitai", TOKEN)
    assert store(ring).forget("civitai") is True
    assert ring.held == {}
    assert list((tmp_path / "config" / "tokens").iterdir()) == []


def test_without_a_real_keyring_there_is_none(tmp_path: Path) -> None:
    """As the tests themselves run: ``PYTHON_KEYRING_BACKEND`` names the null one."""
    kept = TokenStore({}, tmp_path).keep("civitai", TOKEN)
    assert Path(kept).is_file()


@dataclass
class Backend(FakeKeyring):
    """As one of `keyring`'s says how good it is."""

    priority: float

    def __post_init__(self) -> None:
        super().__init__()


@pytest.mark.parametrize(("priority", "is_taken"), [(5.0, True), (0.0, False), (-1.0, False)])
def test_only_a_real_keyring_is_taken(monkeypatch: pytest.MonkeyPatch, priority: float, is_taken: bool) -> None:
    monkeypatch.setattr("keyring.get_keyring", lambda: Backend(priority))
    assert (system_keyring() is not None) is is_taken


def test_a_keyring_that_cannot_even_be_asked_for_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise RuntimeError("no desktop here")

    monkeypatch.setattr("keyring.get_keyring", fails)
    assert system_keyring() is None


def test_a_token_that_is_not_ours_to_read_is_none(store: Store, tmp_path: Path) -> None:
    (tmp_path / "client" / "token").mkdir(parents=True)
    assert store().find("hf") is None
