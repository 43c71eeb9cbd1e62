"""Declare, lock, reconcile: `models.toml` says what a workspace shall hold, `models.lock` what that is to the byte.

read_manifest(path), read_lock(path)   what is wanted, and what it came to before
survey(declared, ...)                  asks hubs, for what is not locked or not here
plan(manifest, lock, offers, held)     -> SyncPlan, pure: pull, adopt, rename, tag, prune, or why not
apply(declared, plan, ...)             -> Job[SyncReport]: the steps carried out, and the lock as it is then
look(catalog, artifacts, ...)          -> what has come out since; `replaced` lets it take the older one's place
"""

from modelhub.sync.applying import SyncReport, apply
from modelhub.sync.lock import Lock, Locked, LockedFile
from modelhub.sync.lock_file import read_lock, write_lock
from modelhub.sync.manifest import Entry, Manifest, read_manifest
from modelhub.sync.pinned import pinned_hubs
from modelhub.sync.planning import holding_of, locks_of, plan
from modelhub.sync.requiring import altered, differences, forbidder
from modelhub.sync.steps import Adopt, Blocked, Drop, Holding, Keep, Prune, Pull, Rename, Step, SyncPlan, Tag, Untag
from modelhub.sync.surveying import Declared, holdings, read_declared, survey
from modelhub.sync.updates import Finding, Source, State, compared, look
from modelhub.sync.updating import Update, entry_of, is_pinned, offer_of, relocked, replaced
from modelhub.sync.writing import entries_of, new_manifest, repointed

__all__ = ["Adopt", "Blocked", "Declared", "Drop", "Entry", "Finding", "Holding", "Keep", "Lock", "Locked"]
__all__ += ["LockedFile", "Manifest", "Prune", "Pull", "Rename", "Source", "State", "Step", "SyncPlan", "SyncReport"]
__all__ += ["Tag", "Untag", "Update", "altered", "apply", "compared", "differences", "entries_of", "entry_of"]
__all__ += ["forbidder", "holding_of", "holdings", "is_pinned", "locks_of", "look", "new_manifest", "offer_of"]
__all__ += [
    "pinned_hubs",
    "plan",
    "read_declared",
    "read_lock",
    "read_manifest",
    "relocked",
    "replaced",
    "repointed",
    "survey",
]
__all__ += ["write_lock"]
