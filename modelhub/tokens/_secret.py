"""A text that must not be seen, and who may see it."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

__all__ = ["Grant", "Secret"]


class Secret:
    """A text that shows itself to nobody by accident: printed, formatted or logged it is three dots.

    It has no fields that a serializer would find, and cannot be pickled.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        return self.__text

    def __str__(self) -> str:
        return "..."

    def __repr__(self) -> str:
        return "Secret(...)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self.__text.encode(), other.__text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self.__text))

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: Mapping[int, object]) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")


@dataclass(frozen=True, slots=True)
class Grant:
    """A token, and the hosts that may see it."""

    token: Secret
    hosts: tuple[str, ...]
    """By dotted suffix: ``civitai.com`` means itself and ``www.civitai.com``, never ``notcivitai.com``."""

    def covers(self, host: str) -> bool:
        """Whether `host` may see the token."""
        name = host.rstrip(".").lower()
        return any(name == one or name.endswith(f".{one}") for one in map(str.lower, self.hosts) if one)
