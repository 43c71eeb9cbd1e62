"""What HuggingFace does not give, and what is said about it."""

import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest

from modelhub import hubs
from modelhub.errors import AccessDenied, ForbiddenHost, NotOffered, Unreachable
from modelhub.hubs import Access, Gate, Hub, Listing
from modelhub.hubs.huggingface._asking import About, asked
from modelhub.network import Network
from modelhub.settings import HubSettings
from modelhub.tokens import TokenStore
from tests.servers.huggingface import HuggingFace

Connect = Callable[..., Hub]
_TOKEN = "hf_sentinel"


def _listed(hub: Hub, text: str) -> Listing:
    return hub.listings(hubs.parse(text))[0]


class TestRefusals:
    def test_the_client_is_not_let_where_we_do_not_go_ourselves(self, server: HuggingFace, tmp_path: Path) -> None:
        server.put("kip/a", {"kip.safetensors": b"one"})
        with Network() as network:
            access = Access(network, TokenStore({}, tmp_path), HubSettings(huggingface=server.url))
            with pytest.raises(ForbiddenHost, match=r"127\.0\.0\.1"):
                _listed(hubs.connect("hf", access), "hf:kip/a")
        assert server.requests == []

    def test_a_gate_is_listed_with_the_way_through(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/a", {"kip.safetensors": b"one"}, gated="manual")
        assert _listed(connect(), "hf:kip/a").gate is Gate.APPROVAL
        assert "modelhub login hf" in _listed(connect(), "hf:kip/a").gate_said
        assert f"{server.url}/kip/a" in _listed(connect(_TOKEN), "hf:kip/a").gate_said

    def test_a_gate_that_opens_by_itself_wants_its_terms_agreed_to(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/a", {"kip.safetensors": b"one"}, gated="auto")
        assert _listed(connect(_TOKEN), "hf:kip/a").gate_said == f"agree to its terms at {server.url}/kip/a"

    def test_a_gate_is_open_to_those_who_were_let_in(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/a", {"kip.safetensors": b"one"}, gated="auto", members={"kip"})
        assert _listed(connect(_TOKEN), "hf:kip/a").gate is Gate.OPEN

    def test_a_file_behind_a_gate_is_refused_with_the_page_to_ask_at(
        self, server: HuggingFace, connect: Connect
    ) -> None:
        server.put("kip/a", {"kip.safetensors": b"one"}, gated="manual")
        one = _listed(connect(_TOKEN), "hf:kip/a")
        with pytest.raises(AccessDenied, match="let people in") as raised:
            connect(_TOKEN).locate(one, one.files[0])
        assert raised.value.mend == f"ask them at {server.url}/kip/a"
        with pytest.raises(AccessDenied) as raised:
            connect().locate(one, one.files[0])
        assert "modelhub login hf" in (raised.value.mend or "")

    def test_what_is_private_is_seen_with_the_token_only(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/a", {"kip.safetensors": b"one"}, private=True, members={"kip"})
        assert _listed(connect(_TOKEN), "hf:kip/a")
        with pytest.raises(NotOffered) as raised:
            _listed(connect(), "hf:kip/a")
        assert "modelhub login hf" in (raised.value.mend or "")

    def test_a_wrong_file_names_those_that_are_near(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/a", {"kip-v2.safetensors": b"one", "README.md": b""})
        with pytest.raises(NotOffered, match=r"it has kip-v2\.safetensors"):
            _listed(connect(), "hf:kip/a/kip-v1.safetensors")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("hf:kip/none", "shows us no model kip/none"),
            ("hf:kip/a@none", "no revision 'none'"),
            ("hf:kip/words", "holds no weights"),
            ("hf:kip/closed", "has closed kip/closed"),
        ],
    )
    def test_what_is_not_there_is_told_apart(self, server: HuggingFace, connect: Connect, text: str, said: str) -> None:
        server.put("kip/a", {"kip.safetensors": b"one"})
        server.put("kip/words", {"README.md": b""})
        server.put("kip/closed", {"kip.safetensors": b"one"}, disabled=True)
        with pytest.raises(NotOffered, match=said):
            _listed(connect(), text)

    def test_a_wrong_token_is_told(self, server: HuggingFace, connect: Connect) -> None:
        with pytest.raises(AccessDenied, match="does not know this token") as raised:
            connect("hf_wrong").account()
        assert raised.value.mend == "modelhub login hf"

    def test_offline_means_offline(
        self, server: HuggingFace, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(Unreachable, match="HF_HUB_OFFLINE"):
            _listed(connect(), "hf:kip/a")
        assert server.requests == []

    @pytest.mark.parametrize("status", [500, 503, 403, 401, 418])
    def test_no_refusal_repeats_a_secret(self, server: HuggingFace, connect: Connect, status: int) -> None:
        server.put("kip/a", {"kip.safetensors": b"one"})
        hub = connect(_TOKEN)
        server.fails_with = status
        with pytest.raises((AccessDenied, Unreachable)) as raised:
            _listed(hub, "hf:kip/a")
        told = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + str(raised.value.mend)
        assert _TOKEN not in told

    def test_a_failure_that_passes_is_waited_for(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/a", {"kip.safetensors": b"one"})
        server.once = [503, 429]
        assert _listed(connect(), "hf:kip/a")

    def test_a_refusal_is_not_asked_for_twice(self, server: HuggingFace, connect: Connect) -> None:
        with pytest.raises(NotOffered):
            _listed(connect(), "hf:kip/none")
        assert len(server.asked("/api/")) == 1

    def test_a_server_that_is_no_hub_is_told(self, server: HuggingFace, connect: Connect) -> None:
        hub = connect(settings=HubSettings(huggingface=server.storage.origin))
        server.storage.put("api/models/kip/a", b"<html>", type="text/html")
        with pytest.raises(Unreachable):
            _listed(hub, "hf:kip/a")

    def test_a_hub_that_says_nothing_is_not_waited_for_longer_than_that(self) -> None:
        with pytest.raises(Unreachable, match="TimeoutError"):
            asked(threading.Event().wait, About(), seconds=0.05)
