"""One file, from the first look at its place to its final name."""

from collections.abc import Iterator

from modelhub.errors import BrokenFile, Conflict, ModelHubError, Unreachable
from modelhub.jobs import Cancel, Done, Job, Notice, Progress
from modelhub.network import Network
from modelhub.transfer._adopting import adopted
from modelhub.transfer._asking import Way, title
from modelhub.transfer._attempt import attempt, check_head
from modelhub.transfer._bucket import Bucket
from modelhub.transfer._claiming import Claim
from modelhub.transfer._judging import SAY_SO, Setback
from modelhub.transfer._nouns import Clock, Pace, Received, Wanted
from modelhub.transfer._part import Part, require_space
from modelhub.transfer._patience import Patience, pause
from modelhub.transfer._telling import Teller
from modelhub.workspace import disk_error

__all__ = ["bring", "fetch"]


def fetch(
    wanted: Wanted,
    *,
    network: Network,
    pace: Pace | None = None,
    cancel: Cancel | None = None,
    clock: Clock | None = None,
) -> Job[Received]:
    """Bring one file to its place, going on with what an earlier attempt left, in this process or another.

    A file that is there already is taken for the wanted one when it has its digest, or, where none is told, its size.
    Raises what `wanted.locate` raises; `Unreachable` after so many attempts, `BrokenFile` when the bytes are not those
    that were promised, `Conflict` when another file has the place, `OutOfResources`, `Interrupted`. What came so far
    is kept in all cases but the wrong bytes.
    """
    pace, clock = pace or Pace(), clock or Clock()
    return bring(wanted, Way(network, pace, Bucket(pace.bytes_per_second, clock), clock, cancel))


def bring(wanted: Wanted, way: Way) -> Job[Received]:
    """The same, in the way that several files share."""
    claim = Claim(wanted.target)
    try:
        yield from claim.take(way.clock, way.cancel)
        if wanted.target.exists():
            yield from adopted(wanted, cancel=way.cancel)
        else:
            yield from _brought(wanted, way)
    except OSError as error:
        raise _told(error, wanted) from error
    finally:
        claim.release()


def _brought(wanted: Wanted, way: Way) -> Job[Received]:
    with Part(wanted) as part:
        if part.total is not None:
            require_space(part.path, part.total - part.position)
        yield Progress(title(wanted), part.position, part.total, "B")
        yield from _persisted(part, way)
        yield Progress(title(wanted), part.position, part.position, "B")
        part.publish()
        yield Done(Received(wanted, part.hexdigest(), part.position, part.fetched))


def _persisted(part: Part, way: Way) -> Iterator[Progress | Notice]:
    """Attempts, until the part is whole and proved."""
    patience = Patience(way.pace.attempts, part.position)
    while True:
        try:
            if not _is_proved_by_digest_alone(part):
                yield from attempt(part, way)
            yield from _checked(part, way)
            return
        except Setback as one:
            setback = one
        except Unreachable as error:
            if not error.retryable:
                raise
            setback = Setback(error)
        if setback.restart:
            part.restart()
        seconds = patience.pause_after(setback, part.farthest)
        yield Notice(_again(setback, seconds))
        pause(seconds, way.clock, way.cancel)


def _is_proved_by_digest_alone(part: Part) -> bool:
    """Whether nobody needs to be asked: all bytes were here before, and the digest will tell."""
    return part.wanted.sha256 is not None and part.position == part.total


def _checked(part: Part, way: Way) -> Iterator[Progress]:
    """Raises `Setback` unless the bytes are the promised ones."""
    teller = Teller(f"{title(part.wanted)} (sha256)")
    for done in part.rest_to_hash():
        if way.cancel:
            way.cancel.check()
        yield from teller.at(done, part.position)
    check_head(part)
    expected, found = part.wanted.sha256, part.hexdigest()
    if expected not in (None, found):
        wrong = BrokenFile(title(part.wanted), f"its sha256 is {found}, not {expected} as promised", mend=SAY_SO)
        raise Setback(wrong, seconds=0.0, tries=2, restart=True)


def _again(setback: Setback, seconds: float) -> str:
    how = "from its beginning" if setback.restart else "where it stopped"
    when = f"in {seconds:.0f} s" if seconds >= 1 else "now"
    return f"{setback.error.message}; going on {how} {when}"


def _told(error: OSError, wanted: Wanted) -> Exception:
    if isinstance(error, FileExistsError):
        return Conflict(f"{wanted.target} has appeared meanwhile", mend="move it away, and try again")
    told = disk_error(error, wanted.target)
    return told if told is not error else ModelHubError(f"{wanted.target} cannot be written ({error.strerror})")
