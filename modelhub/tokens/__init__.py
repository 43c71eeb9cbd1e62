"""Tokens of hubs: where they are kept, and a type that keeps them out of whatever is written or shown."""

from modelhub.tokens._places import PLACES, Place
from modelhub.tokens._secret import Grant, Secret
from modelhub.tokens._shelves import Keyring
from modelhub.tokens._store import Found, TokenStore, as_token

__all__ = ["PLACES", "Found", "Grant", "Keyring", "Place", "Secret", "TokenStore", "as_token"]
