"""What costs much to compute, kept on disk and keyed by all that decides it: nothing stale is ever met."""

from trainers.caches.cutting import cut
from trainers.caches.latents import CachedLatents, LatentCache
from trainers.caches.masks import MaskCache
from trainers.caches.store import Counts
from trainers.caches.texts import TextCache
from trainers.caches.weights import weights_digest

__all__ = ["CachedLatents", "Counts", "LatentCache", "MaskCache", "TextCache", "cut", "weights_digest"]
