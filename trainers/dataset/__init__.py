"""Folders and other trainers' descriptions of them -> samples, with everything wrong said at once."""

from trainers.dataset.folder import dataset_digest, open_image, read_dataset
from trainers.dataset.nouns import Sample

__all__ = ["Sample", "dataset_digest", "open_image", "read_dataset"]
