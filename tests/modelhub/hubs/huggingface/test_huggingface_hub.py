"""HuggingFace as a hub, against the server that its genuine client accepts."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import huggingface_hub
import pytest

from modelhub import hubs
from modelhub.errors import AccessDenied, NotOffered, UnsafeFile
from modelhub.families import known
from modelhub.hubs import Hub, HubRef, Listing, Scan, Search
from modelhub.hubs.huggingface._words import BASE_TAGS, family_of
from modelhub.kinds import Kind
from modelhub.licences import Answer
from modelhub.settings import HubSettings
from tests.servers.huggingface import HuggingFace

_TOKEN = "hf_sentinel"
_INDEX = json.dumps(
    {"_class_name": "StableDiffusionXLPipeline", "unet": ["diffusers", "U"], "vae": [None, None]}
).encode()
_PIPELINE: Mapping[str, bytes] = {
    "model_index.json": _INDEX,
    "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.fp16.safetensors": b"half",
    "unet/diffusion_pytorch_model.safetensors": b"full",
    "old_vae/config.json": b"{}",
    "old_vae/diffusion_pytorch_model.safetensors": b"vae",
}

Connect = Callable[..., Hub]


def _listed(hub: Hub, text: str) -> Listing:
    return hub.listings(hubs.parse(text))[0]


class TestListings:
    def test_are_pinned_to_the_commit(self, server: HuggingFace, connect: Connect) -> None:
        first = server.put("kip/a", {"kip.safetensors": b"one"})
        server.put("kip/a", {"kip.safetensors": b"two"})
        assert str(_listed(connect(), "hf:kip/a").ref) == f"hf:kip/a/kip.safetensors@{server.repos['kip/a'].head}"
        assert _listed(connect(), f"hf:kip/a@{first}").files[0].size == 3

    def test_are_bound_by_what_they_are_made_from_whatever_the_card_says(
        self, server: HuggingFace, connect: Connect
    ) -> None:
        server.put("kip/a", {"kip.safetensors": b"one"}, card={"license": "mit", "base_model": "Laxhar/noobai-XL-1.0"})
        licence = _listed(connect(), "hf:kip/a").licence
        assert (licence.name, licence.sell_images) == ("mit", Answer.NO)
        assert "Laxhar/noobai-XL-1.0" in " ".join(licence.because)

    def test_follow_branches_whose_names_hold_slashes(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/a", {"kip.safetensors": b"one"})
        commit = server.put("kip/a", {"kip.safetensors": b"other"}, revision="refs/pr/1")
        assert _listed(connect(), "https://huggingface.co/kip/a/tree/refs%2Fpr%2F1").ref.version == commit

    def test_tell_what_the_card_says(self, server: HuggingFace, connect: Connect) -> None:
        base = "stabilityai/stable-diffusion-xl-base-1.0"
        card = {"license": "mit", "base_model": base, "instance_prompt": "a kip"}
        widget = [
            {"output": {"url": "images/a b.png"}},
            {"output": {"url": "https://evil.org/x.png"}},
            {"output": {"url": "images/none.png"}},
        ]
        files = {"pytorch_lora_weights.safetensors": b"lora", "images/a b.png": b"png"}
        commit = server.put("kip/my-style", files, card=card, tags=["lora"], widget=widget, downloads=7)
        one = _listed(connect(), "hf:kip/my-style")
        assert (one.name, one.kind, one.family, one.base) == ("my-style", Kind.LORA, "sdxl", base)
        assert (one.licence.name, one.trigger_words, one.downloads, one.creator) == ("mit", ("a kip",), 7, "kip")
        assert [picture.url for picture in one.previews] == [
            f"{server.url}/kip/my-style/resolve/{commit}/images/a%20b.png"
        ]

    def test_take_of_a_pipeline_what_its_index_names(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/xl", _PIPELINE)
        half, full, vae = connect().listings(hubs.parse("hf:kip/xl"))
        assert [one.path for one in half.files] == [
            "model_index.json",
            "unet/config.json",
            "unet/diffusion_pytorch_model.fp16.safetensors",
        ]
        assert (half.kind, half.is_folder, half.precision, full.precision) == (Kind.CHECKPOINT, True, "fp16", "")
        assert (vae.name, [one.path for one in vae.files]) == (
            "xl-old_vae",
            ["config.json", "diffusion_pytorch_model.safetensors"],
        )

    def test_give_the_same_folder_for_its_own_address(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/xl", _PIPELINE)
        hub = connect()
        for one in hub.listings(hubs.parse("hf:kip/xl")):
            assert hub.listings(hubs.parse(str(one.ref))) == (one,)

    @pytest.mark.parametrize(
        ("status", "scan"),
        [
            ("safe", Scan.SAFE),
            ("unsafe", Scan.DANGER),
            ("suspicious", Scan.DANGER),
            ("queued", Scan.PENDING),
            ("unscanned", Scan.PENDING),
            ("caution", Scan.UNKNOWN),
            ("error", Scan.UNKNOWN),
        ],
    )
    def test_believe_only_the_word_safe(self, server: HuggingFace, connect: Connect, status: str, scan: Scan) -> None:
        server.put("kip/a", {"kip.ckpt": b"one"}, scans={"kip.ckpt": status})
        assert _listed(connect(), "hf:kip/a").scan is scan

    def test_refuse_a_folder_whose_files_differ_in_capital_letters_only(
        self, server: HuggingFace, connect: Connect
    ) -> None:
        server.put("kip/a", {"config.json": b"{}", "CONFIG.json": b"{}", "model.safetensors": b"m"})
        with pytest.raises(UnsafeFile):
            _listed(connect(), "hf:kip/a")


class TestLocating:
    def test_the_token_goes_to_the_hub_and_not_to_the_storage(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/xl", _PIPELINE)
        hub = connect(_TOKEN)
        one = _listed(hub, "hf:kip/xl")
        places = {file.path: hub.locate(one, file) for file in one.files}
        assert places["unet/config.json"].grant
        weights = places["unet/diffusion_pytorch_model.fp16.safetensors"]
        assert weights.grant is None
        assert weights.url.startswith(server.storage.origin)
        assert server.asked("resolve")[-1].token == _TOKEN

    def test_a_mirror_sees_no_token(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/a", {"kip.safetensors": b"one", "config.json": b"{}"})
        hub = connect(_TOKEN, HubSettings(huggingface=server.url))
        one = _listed(hub, "hf:kip/a/kip.safetensors")
        assert hub.locate(one, one.files[0]).grant is None
        assert {asked.token for asked in server.requests} == {None}

    def test_a_token_of_the_clients_own_is_not_used(
        self, server: HuggingFace, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_TOKEN", "hf_implicit")
        server.put("kip/a", {"kip.safetensors": b"one"})
        one = _listed(connect(), "hf:kip/a")
        connect().locate(one, one.files[0])
        assert {asked.token for asked in server.requests} == {None}

    def test_xet_brings_the_file_when_the_user_wants_it(
        self, server: HuggingFace, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With Xet itself switched off in the client, which then goes its own plain way."""
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
        server.xet = True
        server.put("kip/a", {"kip.safetensors": b"one"})
        hub = connect(settings=replace(server.settings, xet=True))
        one = _listed(hub, "hf:kip/a")
        located = hub.locate(one, one.files[0])
        assert Path(url2pathname(urlsplit(located.url).path)).read_bytes() == b"one"

    def test_a_file_that_was_taken_away_meanwhile_is_told(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/a", {"kip.safetensors": b"one"})
        one = _listed(connect(), "hf:kip/a")
        server.repos.clear()
        with pytest.raises(NotOffered):
            connect().locate(one, one.files[0])


class TestNewer:
    def test_the_same_bytes_at_a_newer_commit_are_not(self, server: HuggingFace, connect: Connect) -> None:
        ref = HubRef("hf", "kip/a", server.put("kip/a", {"kip.safetensors": b"one"}), "kip.safetensors")
        server.put("kip/a", {"README.md": b"a word more"})
        assert connect().latest([ref])[ref][0].ref == ref

    def test_a_variant_that_is_added_beside_is_not(self, server: HuggingFace, connect: Connect) -> None:
        full = {path: content for path, content in _PIPELINE.items() if "fp16" not in path}
        ref = HubRef("hf", "kip/xl", server.put("kip/xl", full), "model_index.json")
        server.put("kip/xl", _PIPELINE)
        assert [one.ref for one in connect().latest([ref])[ref]] == [ref]

    def test_other_bytes_are(self, server: HuggingFace, connect: Connect) -> None:
        ref = HubRef("hf", "kip/a", server.put("kip/a", {"kip.safetensors": b"one"}), "kip.safetensors")
        newer = server.put("kip/a", {"kip.safetensors": b"two"})
        assert connect().latest([ref])[ref][0].ref.version == newer

    def test_a_file_that_is_gone_is_told_so_and_the_others_are_kept(
        self, server: HuggingFace, connect: Connect
    ) -> None:
        commit = server.put("kip/a", {"a.safetensors": b"a", "b.safetensors": b"b"})
        server.put("kip/a", {"a.safetensors": None})
        a, b = (HubRef("hf", "kip/a", commit, f"{name}.safetensors") for name in "ab")
        found = connect().latest([a, b])
        assert (found[a], found[b][0].ref) == ((), b)

    def test_one_question_asks_for_all_models_of_a_repository(self, server: HuggingFace, connect: Connect) -> None:
        commit = server.put("kip/a", {"a.safetensors": b"a", "b.safetensors": b"b"})
        connect().latest([HubRef("hf", "kip/a", commit, f"{name}.safetensors") for name in "ab"])
        assert len(server.asked("/api/")) == 1

    def test_a_hub_that_fails_leaves_its_models_out(self, server: HuggingFace, connect: Connect) -> None:
        server.fails_with = 403
        assert connect().latest([HubRef("hf", "kip/a", "0" * 40, "a.safetensors")]) == {}


class TestSearch:
    def test_finds_by_text_kind_and_family(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/xl-style", {"a.safetensors": b"a"}, tags=["lora", "stable-diffusion-xl"], downloads=1)
        server.put("kip/old-style", {"a.safetensors": b"a"}, tags=["lora", "stable-diffusion"], downloads=9)
        server.put("kip/style", {"a.safetensors": b"a"}, tags=["diffusers"], downloads=5)
        found = list(connect().search(Search("style", kinds=(Kind.LORA,), family="sdxl")))
        assert [str(one.ref) for one in found] == ["hf:kip/xl-style"]
        assert (found[0].kind, found[0].family, found[0].total) == (Kind.LORA, "sdxl", 1)

    def test_sorts_as_asked_and_reads_on_over_pages(self, server: HuggingFace, connect: Connect) -> None:
        server.page = 2
        for count in range(5):
            server.put(f"kip/s{count}", {"a.safetensors": b"a"}, downloads=count)
        assert [one.downloads for one in connect().search(Search("kip", limit=4))] == [4, 3, 2, 1]

    def test_leaves_out_what_was_not_asked_for(self, server: HuggingFace, connect: Connect) -> None:
        server.put("kip/adult", {"a.safetensors": b"a"}, tags=["not-for-all-audiences"])
        server.put("kip/chat", {"a.safetensors": b"a"}, pipeline="text-generation")
        server.put("kip/nc", {"a.safetensors": b"a"}, card={"license": "cc-by-nc-4.0"})
        server.put("kip/mit", {"a.safetensors": b"a"}, card={"license": "mit"}, pipeline="text-to-image")
        assert [one.title for one in connect().search(Search("kip", licence="commercial"))] == ["kip/mit"]

    def test_takes_several_kinds_by_turns(self, server: HuggingFace, connect: Connect) -> None:
        for name in "ab":
            server.put(f"kip/lora-{name}", {}, tags=["lora"])
            server.put(f"kip/control-{name}", {}, tags=["controlnet"])
        kinds = [one.kind for one in connect().search(Search("kip", kinds=(Kind.LORA, Kind.CONTROLNET), limit=3))]
        assert kinds == [Kind.LORA, Kind.CONTROLNET, Kind.LORA]


class TestWords:
    def test_the_account_is_named_with_what_its_token_may_do(self, server: HuggingFace, connect: Connect) -> None:
        account = connect(_TOKEN).account()
        assert (account.name, account.about) == ("kip", "a read token")

    def test_behind_a_mirror_there_is_no_account_until_it_is_trusted(
        self, server: HuggingFace, connect: Connect
    ) -> None:
        with pytest.raises(AccessDenied, match="is a mirror") as refused:
            connect(_TOKEN, HubSettings(huggingface=server.url)).account()
        assert "MODELHUB_TRUST_MIRRORS" in str(refused.value.mend)

    def test_every_family_that_is_named_exists(self) -> None:
        assert set(BASE_TAGS) <= set(known())
        assert {family_of(name) for name in ("sdxl", "sd-xl", "FluxPipeline", "kolors")} <= {None, *known()}

    @pytest.mark.parametrize(
        ("name", "family"),
        [
            ("stabilityai/stable-diffusion-xl-base-1.0", "sdxl"),
            ("stabilityai/stable-diffusion-xl-refiner-1.0", "sdxl-refiner"),
            ("stable-diffusion-v1-5/stable-diffusion-v1-5", "sd1"),
            ("CompVis/stable-diffusion-v1-4", "sd1"),
            ("stabilityai/stable-diffusion-2-1-base", "sd2"),
            ("stabilityai/stable-diffusion-3.5-large", "sd3"),
            ("black-forest-labs/FLUX.1-dev", "flux1"),
            ("Qwen/Qwen-Image", "qwen-image"),
            ("StableDiffusionPipeline", None),
            ("google/t5-v1_1-xxl", None),
        ],
    )
    def test_a_base_is_known_by_its_name(self, name: str, family: str | None) -> None:
        assert family_of(name) == family
