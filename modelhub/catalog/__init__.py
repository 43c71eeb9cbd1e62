"""The only door to catalog.db: what we hold, where it lies, what made it and what it made."""

from modelhub.catalog.catalog import Catalog
from modelhub.catalog.nouns import Check, Image, Lineage, Query, Removal, Run, Verdict

__all__ = ["Catalog", "Check", "Image", "Lineage", "Query", "Removal", "Run", "Verdict"]
