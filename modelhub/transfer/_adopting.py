"""A file that stands at its place before anything was fetched."""

from modelhub.digests import digest_file
from modelhub.errors import Conflict
from modelhub.jobs import Cancel, Done, Job, Progress
from modelhub.transfer._nouns import Received, Wanted
from modelhub.transfer._part import discard

__all__ = ["adopted"]


def adopted(wanted: Wanted, *, cancel: Cancel | None) -> Job[Received]:
    """Take what stands there for the wanted file, if it can be that; raises `Conflict` when it is another one."""
    size = wanted.target.stat().st_size
    if wanted.size not in (None, size):
        raise _another(wanted, f"has {size:,} bytes, not {wanted.size:,}")
    for event in digest_file(wanted.target, algorithms=("sha256",), cancel=cancel):
        if isinstance(event, Progress):
            yield event
        elif isinstance(event, Done):
            sha256 = event.result["sha256"]
    if wanted.sha256 not in (None, sha256):
        raise _another(wanted, f"has the sha256 {sha256[:12]}..., not {str(wanted.sha256)[:12]}...")
    discard(wanted.target)
    yield Done(Received(wanted, sha256, size, 0))


def _another(wanted: Wanted, how: str) -> Conflict:
    return Conflict(f"{wanted.target} is another file: it {how}", mend="move it away, and try again")
