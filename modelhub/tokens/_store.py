"""`TokenStore`: finds tokens, keeps them, forgets them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from modelhub.errors import BadValue
from modelhub.tokens._places import PLACES
from modelhub.tokens._secret import Secret
from modelhub.tokens._shelves import ClientFile, Files, InKeyring, Keyring, Shelf, system_keyring

__all__ = ["Found", "TokenStore", "as_token"]

_TOKEN = re.compile(r"[!-~]{1,4096}")


@dataclass(frozen=True, slots=True)
class Found:
    """A token and where it lies."""

    token: Secret
    origin: str
    """For people: a variable, a file, the keyring."""


def as_token(text: str, origin: str) -> Secret:
    """`text` without the blanks around it; raises `BadValue` for what cannot be a token, naming `origin` only."""
    if not _TOKEN.fullmatch(text.strip()):
        raise BadValue(f"{origin} is no token: it is empty or holds blanks", mend="copy it once more, alone")
    return Secret(text.strip())


class TokenStore:
    """Tokens by the name of their hub (``civitai``, ``hf``): the environment's, else the ones that were kept.

    HuggingFace's is kept where its own client keeps it, so that one login serves both.
    """

    def __init__(
        self, environ: Mapping[str, str], folder: Path, *, keyring: Callable[[], Keyring | None] = system_keyring
    ) -> None:
        self._environ = environ
        self._folder = folder
        """Tokens lie in files below it where the system has no keyring."""
        self._keyring = keyring
        self._tried: Mapping[str, Found] = {}
        self._kept: dict[str, Found | None] = {}
        """A keyring may ask its owner each time, and so is asked once."""

    def find(self, hub: str) -> Secret | None:
        """The token to use at `hub`, if there is one.

        Raises `BadValue` for a variable that holds none, `UnsafeFile` for a file that others could have read.
        """
        found = self.found(hub)
        return found.token if found else None

    def found(self, hub: str) -> Found | None:
        """The same, and where it lies."""
        return self._tried.get(hub) or self.in_environment(hub) or self.kept(hub)

    def in_environment(self, hub: str) -> Found | None:
        """The token that the environment holds, which wins over the one that was kept."""
        names = PLACES[hub].variables if hub in PLACES else ()
        name = next((one for one in names if self._environ.get(one, "").strip()), None)
        return Found(as_token(self._environ[name], name), name) if name else None

    def kept(self, hub: str) -> Found | None:
        """The token that was kept for `hub`."""
        if hub not in self._kept:
            lying = ((shelf, shelf.read(hub)) for shelf in self._shelves(hub))
            self._kept[hub] = next(
                (Found(as_token(text, shelf.name(hub)), shelf.name(hub)) for shelf, text in lying if text), None
            )
        return self._kept[hub]

    def with_token(self, hub: str, token: Secret) -> "TokenStore":
        """A store that has `token` before all others, to try it before it is kept."""
        other = TokenStore(self._environ, self._folder, keyring=self._keyring)
        other._tried = {**self._tried, hub: Found(token, "what was given")}
        return other

    def keep(self, hub: str, token: Secret) -> str:
        """Keep `token` for `hub`, in one place only; returns where, for people."""
        self._kept.pop(hub, None)
        shelves = self._shelves(hub)
        taken = next(shelf for shelf in shelves if shelf.write(hub, token.reveal()))
        for shelf in shelves:
            if shelf is not taken:
                shelf.delete(hub)
        return taken.name(hub)

    def forget(self, hub: str) -> bool:
        """Delete what was kept for `hub`, wherever it lies; returns whether there was anything."""
        self._kept.pop(hub, None)
        deleted = [shelf.delete(hub) for shelf in self._shelves(hub)]
        return any(deleted)

    def _shelves(self, hub: str) -> list[Shelf]:
        """The last one takes whatever it is given."""
        if hub not in PLACES:
            return []
        if hub == "hf":
            return [ClientFile(self._environ)]
        ring = self._keyring()
        return [*([InKeyring(ring)] if ring else []), Files(self._folder / "tokens")]
