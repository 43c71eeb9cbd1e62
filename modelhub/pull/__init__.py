"""Models from hubs into the catalog: ask, plan (pure), fetch, identify, register.

survey(wishes, hubs=...)        -> offers           asks the hubs
plan(offers, held=..., ...)     -> PullPlan         pure: what is fetched, kept, refused, and why
pull(plan, catalog=..., ...)    -> Job[PullReport]  the bytes, and the catalog's record of them
"""

from modelhub.pull._nouns import Choice, Fetch, Keep, Offer, Pulled, PullPlan, PullReport, Refuse, Wish

__all__ = ["Choice", "Fetch", "Keep", "Offer", "PullPlan", "PullReport", "Pulled", "Refuse", "Wish"]
