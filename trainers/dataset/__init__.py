"""Folders and other trainers' descriptions of them -> samples, with everything wrong said at once."""

from trainers.dataset.described import described, subsets_of
from trainers.dataset.nouns import Dataset, Described, Mask, Sample
from trainers.dataset.pictures import open_image, open_mask
from trainers.dataset.reading import dataset_digest, gather, read_dataset

__all__ = [
    "Dataset",
    "Described",
    "Mask",
    "Sample",
    "dataset_digest",
    "described",
    "gather",
    "open_image",
    "open_mask",
    "read_dataset",
    "subsets_of",
]
