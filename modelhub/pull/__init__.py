"""Models from hubs into the catalog: ask, plan (pure), fetch, identify, register.

survey(wishes, hubs=...)        -> Job[offers]      asks the hubs
holdings(catalog, offers)       -> Held             what of them is here already
plan(offers, held=..., ...)     -> PullPlan         pure: what is fetched, kept, refused, and why
pull(plan, catalog=..., ...)    -> Job[PullReport]  the bytes, and the catalog's record of them
"""

from modelhub.pull._holdings import holdings, room
from modelhub.pull._nouns import Choice, Fetch, Keep, Offer, Pulled, PullPlan, PullReport, Refuse, Wish
from modelhub.pull._peeking import peek
from modelhub.pull._planning import Held, Policy, plan
from modelhub.pull._pulling import pull
from modelhub.pull._surveying import choose, offered, survey

__all__ = ["Choice", "Fetch", "Held", "Keep", "Offer", "Policy", "PullPlan", "PullReport", "Pulled", "Refuse", "Wish"]
__all__ += ["choose", "holdings", "offered", "peek", "plan", "pull", "room", "survey"]
