"""The only door to catalog.db: what we hold, where it lies, what made it and what it made."""

from modelhub.catalog.adding import NoModel, Registered
from modelhub.catalog.catalog import Catalog
from modelhub.catalog.nouns import (
    Account,
    Base,
    Check,
    Heard,
    Hit,
    Image,
    Lineage,
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
    "Heard",
    "Hit",
    "Image",
    "KnownFile",
    "KnownRow",
    "Lineage",
    "NoModel",
    "Query",
    "Registered",
    "Removal",
    "Root",
    "Run",
    "Trashed",
    "Uses",
    "Verdict",
]
