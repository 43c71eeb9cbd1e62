"""Reads files again and compares them with what the catalog wrote down; nothing is written here."""

from collections.abc import Mapping

from modelhub.catalog.nouns import Check, Verdict
from modelhub.digests import digest_file
from modelhub.errors import BrokenFile, MissingFile
from modelhub.jobs import Cancel, Done, Job
from modelhub.kinds import Artifact, Location

__all__ = ["check_file"]


def check_file(artifact: Artifact, at: Location, cancel: Cancel | None) -> Job[tuple[Check, Mapping[str, str]]]:
    """Judge one file; the digests are those it has now."""
    digests: Mapping[str, str] = {}
    try:
        for event in digest_file(at.path, cancel=cancel):
            if isinstance(event, Done):
                digests = event.result
            else:
                yield event
        check = _judged(artifact, at, digests)
    except MissingFile:
        check = Check(artifact, at.path, Verdict.MISSING, "there is no such file")
    except BrokenFile as error:
        check = Check(artifact, at.path, Verdict.CHANGED, error.reason)
    yield Done((check, digests))


def _judged(artifact: Artifact, at: Location, digests: Mapping[str, str]) -> Check:
    recorded = artifact.digests.get("sha256")
    size = at.path.stat().st_size
    if size != at.size:
        return Check(
            artifact, at.path, Verdict.CHANGED, f"it has {size:,} bytes, and had {at.size:,} when it was added"
        )
    if recorded is None:
        return Check(artifact, at.path, Verdict.RECORDED)
    if digests["sha256"] != recorded:
        return Check(
            artifact, at.path, Verdict.CHANGED, f"its sha256 is {digests['sha256'][:10]}, and was {recorded[:10]}"
        )
    return Check(artifact, at.path, Verdict.SAME)
