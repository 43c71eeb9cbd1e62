"""Everything that can go wrong for a user, as one tree.

    ModelHubError             1  failure
    ├── BadValue              2  a flag, field or file entry that means nothing here
    ├── NotFound              3  a thing that was named and is not there
    │   ├── NoWorkspace
    │   ├── UnknownRef
    │   ├── MissingFile
    │   └── NotOffered           a hub has no such model, or has it no longer
    ├── Conflict              4  two things that cannot both be
    │   ├── AmbiguousRef
    │   ├── NameTaken
    │   ├── Incompatible
    │   └── LicenceForbids
    ├── MissingPackage        1  a feature whose extra is not installed
    ├── UnsafeFile            6  a file that is refused unread
    ├── BrokenFile            7  a file that is not what it says it is
    ├── OutOfResources        8  disk or memory ran out
    ├── NetworkError          9  what came of talking to another machine
    │   ├── Unreachable          it does not answer, or not as it should; trying again may help
    │   ├── AccessDenied         it wants a token, an approval, a payment, or never gives this file
    │   └── ForbiddenHost        an address that we do not talk to unless the user says so
    └── Interrupted         130  the user stopped it; what was done is kept

An error says what went wrong with which thing, and `mend` is the next command to type. The numbers are
the exit codes of the command line.
"""

from collections.abc import Iterable

__all__ = [
    "AccessDenied",
    "AmbiguousRef",
    "BadValue",
    "BrokenFile",
    "Conflict",
    "ForbiddenHost",
    "Incompatible",
    "Interrupted",
    "LicenceForbids",
    "MissingFile",
    "MissingPackage",
    "ModelHubError",
    "NameTaken",
    "NetworkError",
    "NoWorkspace",
    "NotFound",
    "NotOffered",
    "OutOfResources",
    "UnknownRef",
    "Unreachable",
    "UnsafeFile",
]


class ModelHubError(Exception):
    """Anything that a user should read as one line, never as a traceback."""

    code = "failure"
    """Stable name for programs, shown in JSON."""
    exit_code = 1
    retryable = False

    def __init__(self, message: str, *, mend: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend


class BadValue(ModelHubError):
    """A value that was given has no meaning where it was given."""

    code = "bad-value"
    exit_code = 2


class NotFound(ModelHubError):
    """Something that was named does not exist."""

    code = "not-found"
    exit_code = 3


class NoWorkspace(NotFound):
    """No catalog was found from here."""

    code = "no-workspace"


class UnknownRef(NotFound):
    """A model reference that matches nothing in the catalog; names the nearest ones."""

    code = "unknown-ref"

    def __init__(self, ref: str, near: Iterable[str] = (), *, why: str = "", mend: str = "modelhub ls") -> None:
        close = list(near)
        hint = f"; did you mean {' or '.join(close)}?" if close else f"; {why}" if why else ""
        super().__init__(f"the catalog holds no model {ref!r}{hint}", mend=mend)
        self.ref = ref


class MissingFile(NotFound):
    """A file that the catalog knows, or the user named, is not on disk."""

    code = "missing-file"


class NotOffered(NotFound):
    """A hub offers no such model, version or file, or has taken it down."""

    code = "not-offered"


class Conflict(ModelHubError):
    """Two things were asked for that exclude each other."""

    code = "conflict"
    exit_code = 4


class AmbiguousRef(Conflict):
    """A reference that matches several models; names them all."""

    code = "ambiguous-ref"

    def __init__(
        self, ref: str, matches: Iterable[str], *, mend: str = "name it by its catalog ID: modelhub ls"
    ) -> None:
        super().__init__(f"{ref!r} could be {' or '.join(matches)}", mend=mend)
        self.ref = ref


class NameTaken(Conflict):
    """A name that another artifact has."""

    code = "name-taken"


class Incompatible(Conflict):
    """Models that do not fit together, found before a weight is read."""

    code = "incompatible"


class LicenceForbids(Conflict):
    """A licence does not allow, or is not known to allow, what was required of it."""

    code = "licence-forbids"


class MissingPackage(ModelHubError):
    """A feature whose packages are not installed."""

    code = "missing-package"

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs the package {package}, which is not installed",
            mend=f"pip install 'modelhub-suite[{extra}]'",
        )


class UnsafeFile(ModelHubError):
    """A file in a format that can run code, or that is built to mislead: refused unread."""

    code = "unsafe-file"
    exit_code = 6


class BrokenFile(ModelHubError):
    """A file whose bytes contradict its own header or its recorded digest."""

    code = "broken-file"
    exit_code = 7

    def __init__(self, path: object, reason: str, *, mend: str | None = None) -> None:
        super().__init__(f"{path}: {reason}", mend=mend)
        self.path = path
        self.reason = reason


class OutOfResources(ModelHubError):
    """The disk or the memory is full; nothing half written was left."""

    code = "out-of-resources"
    exit_code = 8
    retryable = True


class NetworkError(ModelHubError):
    """Something came of talking to another machine that stops the work; no file was harmed."""

    code = "network"
    exit_code = 9


class Unreachable(NetworkError):
    """A machine that does not answer, or answers with its own failure, or with what is no answer at all."""

    code = "unreachable"
    retryable = True


class AccessDenied(NetworkError):
    """A hub will not give something to us as we are: it wants a token, an approval, early access, or never does."""

    code = "access-denied"


class ForbiddenHost(NetworkError):
    """An address that is not talked to unless the user allows it: plain http, this machine, a private network."""

    code = "forbidden-host"


class Interrupted(ModelHubError):
    """The user stopped the work."""

    code = "interrupted"
    exit_code = 130
    retryable = True
