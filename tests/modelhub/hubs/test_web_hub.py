"""Plain addresses in the web."""

from collections.abc import Iterator

import pytest

from modelhub.errors import AccessDenied, BadValue, NotOffered, Unreachable
from modelhub.hubs import HubRef
from modelhub.hubs.web import Web, address, name_told
from modelhub.network import Network
from tests.servers.faults import status
from tests.servers.storage import Storage


@pytest.fixture
def server() -> Iterator[Storage]:
    with Storage() as running:
        yield running


@pytest.fixture
def web() -> Iterator[Web]:
    with Network(allow=["127.0.0.1"], sleep=lambda seconds: None) as network:
        yield Web(network)


class TestAddresses:
    def test_the_query_is_kept_and_the_fragment_is_not(self) -> None:
        assert address("HTTPS://Host.org/a.pt?download=1#top") == HubRef("web", "https://host.org/a.pt?download=1")

    @pytest.mark.parametrize(
        "text",
        [
            "https://h.org/a.pt?token=s3cret",
            "https://h.org/a.pt?x=1&api_key=s3cret",
            "https://h.org/a.pt?X-Amz-Signature=s3cret",
            "https://h.org/a.pt?sig=s3cret",
            "https://kip:s3cret@h.org/a.pt",
        ],
    )
    def test_a_secret_is_refused_and_not_repeated(self, text: str) -> None:
        with pytest.raises(BadValue, match="secret") as raised:
            address(text)
        assert "s3cret" not in f"{raised.value}{raised.value.mend}"

    @pytest.mark.parametrize("query", ["sort_key=1", "monkey=1", "version=2"])
    def test_other_words_in_a_query_are_no_secrets(self, query: str) -> None:
        assert address(f"https://h.org/a.pt?{query}")

    @pytest.mark.parametrize("text", ["http://[::1/a.pt", "https://", "https://h.org:x/a.pt", "https://h.org/a b.pt"])
    def test_what_is_no_address_is_refused(self, text: str) -> None:
        with pytest.raises(BadValue):
            address(text)


class TestNames:
    @pytest.mark.parametrize(
        ("disposition", "name"),
        [
            ("attachment; filename=kip.pt", "kip.pt"),
            ('attachment; filename="k \\"i\\" p.pt"', 'k "i" p.pt'),
            ("attachment; filename=\"x.pt\"; filename*=UTF-8''%e2%82%ac.pt", "€.pt"),
            ('attachment; filename="' + "é.pt".encode().decode("latin-1") + '"', "é.pt"),
            ('attachment; filename="é.pt"', "é.pt"),
            ("attachment", ""),
        ],
    )
    def test_a_header_tells_the_name_as_it_was_meant(self, disposition: str, name: str) -> None:
        assert name_told(disposition) == name

    def test_without_a_header_the_address_tells_it(self, server: Storage, web: Web) -> None:
        (listing,) = web.listings(HubRef("web", server.put("a/kip 1.safetensors", b"kip").replace(" ", "%20")))
        assert (listing.name, listing.files[0].path, listing.format) == ("kip 1", "kip 1.safetensors", "safetensors")


class TestListings:
    def test_size_and_mark_come_from_one_byte(self, server: Storage, web: Web) -> None:
        (listing,) = web.listings(HubRef("web", server.put("kip.pt", b"12345", etag='"one"')))
        assert (listing.size, listing.files[0].key.partition("#")[2]) == (5, '"one"')
        assert server.ranges() == ["bytes=0-0"]

    def test_a_weak_etag_marks_nothing(self, server: Storage, web: Web) -> None:
        (listing,) = web.listings(HubRef("web", server.put("kip.pt", b"12345", etag='W/"one"')))
        assert listing.files[0].key.endswith("kip.pt#5")

    def test_a_page_is_no_model(self, server: Storage, web: Web) -> None:
        with pytest.raises(NotOffered, match="shows a page"):
            web.listings(HubRef("web", server.put("kip.pt", b"<html>", type="text/html; charset=utf-8")))

    def test_what_is_named_as_no_weight_file_is_not_taken(self, server: Storage, web: Web) -> None:
        with pytest.raises(NotOffered, match="no weight file"):
            web.listings(HubRef("web", server.put("kip.exe", b"MZ")))

    @pytest.mark.parametrize(
        ("code", "error"), [(401, AccessDenied), (403, AccessDenied), (410, NotOffered), (503, Unreachable)]
    )
    def test_a_refusal_is_told_for_what_it_is(
        self, server: Storage, web: Web, code: int, error: type[Exception]
    ) -> None:
        url = server.put("kip.pt", b"kip")
        server.always = status(code)
        with pytest.raises(error):
            web.listings(HubRef("web", url))

    def test_a_server_that_does_not_answer_says_nothing_of_its_models(self, server: Storage, web: Web) -> None:
        url = server.put("kip.pt", b"kip")
        server.always = status(503)
        assert web.latest([HubRef("web", url)]) == {}
