"""What costs much to compute, kept on disk and keyed by all that decides it: nothing stale is ever met."""

from trainers.caches.latents import CachedLatents, LatentCache, cut

__all__ = ["CachedLatents", "LatentCache", "cut"]
