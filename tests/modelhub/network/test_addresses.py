"""Which addresses are out in the world."""

import pytest

from modelhub.network._addresses import is_public, literal


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "104.16.0.1", "2606:4700::1111", "2a00:1450:4001::200e", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_addresses_of_the_world_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "0.1.2.3", "::"),
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.254"),
        *("169.254.169.254", "fe80::1", "fe80::1%eth0", "fec0::1", "fd00:ec2::254", "fc00::1"),
        *("224.0.0.1", "239.1.2.3", "ff02::1", "255.255.255.255", "240.0.0.1"),
        *(
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "2001:db8::1",
            "100::1",
            "2001::1",
            "2002:7f00:1::",
        ),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::8.8.8.8"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "2002:808:808::"),
    ],
)
def test_addresses_of_this_machine_and_of_private_networks_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("::1", "::1"),
        ("civitai.com", None),
        ("1.2.3.4.example", None),
    ],
)
def test_an_address_is_known_in_every_notation(host: str, address: str | None) -> None:
    assert literal(host) == address
