"""The only door to catalog.db: what we hold, where it lies, what made it and what it made."""

from modelhub.catalog.adding import NoModel, Registered
from modelhub.catalog.catalog import Catalog
from modelhub.catalog.nouns import (
    Account,
    Base,
    Check,
    Found,
    Heard,
    Hit,
    Image,
    Lineage,
    PictureQuery,
    Query,
    Removal,
    Run,
    Trashed,
    Uses,
    Verdict,
)
from modelhub.catalog.scanned import KnownFile, KnownRow, Root

__all__ = [
    "Account",
    "Base",
    "Catalog",
    "Check",
    "Found",
    "Heard",
    "Hit",
    "Image",
    "KnownFile",
    "KnownRow",
    "Lineage",
    "NoModel",
    "PictureQuery",
    "Query",
    "Registered",
    "Removal",
    "Root",
    "Run",
    "Trashed",
    "Uses",
    "Verdict",
]
