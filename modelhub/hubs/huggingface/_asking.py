"""Questions to the hub through its own client: bounded in time, and refused in words that say what to do next."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from modelhub.errors import AccessDenied, BadValue, ModelHubError, NotOffered, Unreachable

__all__ = ["ONE_QUESTION", "About", "asked"]

T = TypeVar("T")
ONE_QUESTION = 90.0
"""Seconds that an answer may take; most of the client's own calls wait for ever."""
_PAUSES = (1.0, 4.0)
"""Seconds before a question is asked again."""
_LONGEST = 60.0
_PASSING = (408, 429, 500, 502, 503, 504)
_LOGIN = "modelhub login hf"


@dataclass(frozen=True, slots=True)
class About:
    """What a question is about, for the sentence when it fails."""

    repo: str = ""
    page: str = ""
    revision: str = ""
    file: str = ""
    with_token: bool = False


def asked(
    question: Callable[[], T],
    about: About,
    *,
    seconds: float | None = ONE_QUESTION,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What the client answers, asked again where that may help.

    Raises `AccessDenied`, `NotOffered`, `Unreachable`, never with the client's own words or addresses.
    """
    pauses = iter(_PAUSES)
    while True:
        try:
            return _once(question, seconds)
        except Exception as error:  # whatever the client, and what it reads, may come up with
            pause = next(pauses, None)
            if pause is None or not _may_pass(error):
                raise _translated(error, about) from error
            wait = max(pause, _demanded(error))
        sleep(wait)


def _once(question: Callable[[], T], seconds: float | None) -> T:
    """In a thread of its own, which is left behind when the time is up."""
    answer: Future[T] = Future()

    def ask() -> None:
        try:
            answer.set_result(question())
        except BaseException as error:  # it is raised where the answer is waited for
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True, name="huggingface").start()
    return answer.result(timeout=seconds)


def _may_pass(error: Exception) -> bool:
    """A server's own failure, a demand for a pause, a connection that breaks."""
    response = getattr(error, "response", None)
    if response is not None:
        return response.status_code in _PASSING
    return any(one.__name__ == "TransportError" for one in type(error).__mro__)  # of httpx, by whichever name


def _demanded(error: Exception) -> float:
    """Seconds that the hub asks us to wait, as far as we are ready to."""
    response = getattr(error, "response", None)
    told = response.headers.get("Retry-After", "") if response is not None else ""
    return min(float(told), _LONGEST) if told.isdecimal() else 0.0


def _translated(error: Exception, about: About) -> ModelHubError:
    from huggingface_hub import errors as client

    match error:
        case client.OfflineModeIsEnabled():
            return Unreachable("HF_HUB_OFFLINE is set, so HuggingFace is not asked", mend="unset HF_HUB_OFFLINE")
        case client.GatedRepoError():
            return _gated(about)
        case client.RevisionNotFoundError():
            return NotOffered(f"{about.repo} has no revision {about.revision!r}", mend=f"look at {about.page}")
        case client.EntryNotFoundError():
            return NotOffered(f"{about.repo} has no file {about.file}", mend=f"look at {about.page}")
        case client.RepositoryNotFoundError():
            return NotOffered(f"HuggingFace shows us no model {about.repo}", mend=_if_private(about))
        case client.DisabledRepoError():
            return NotOffered(f"HuggingFace has closed {about.repo}", mend=f"look at {about.page}")
        case client.HFValidationError():
            return BadValue(f"{about.repo!r} names no model at HuggingFace", mend="write hf:OWNER/REPO")
        case client.HfHubHTTPError():
            return _refused(error.response.status_code, about)
        case client.FileMetadataError():
            return Unreachable("what answers is no HuggingFace hub", mend="correct HF_ENDPOINT")
    return Unreachable(f"HuggingFace cannot be asked: {type(error).__name__}", mend="try again later")


def _gated(about: About) -> AccessDenied:
    if about.with_token:
        said = f"{about.repo}: its authors let people in one by one, and this account is not among them"
        return AccessDenied(said, mend=f"ask them at {about.page}")
    return AccessDenied(
        f"{about.repo} is for those whom its authors let in", mend=f"ask at {about.page}, then {_LOGIN}"
    )


def _if_private(about: About) -> str:
    return f"look at {about.page}" if about.with_token else f"look at {about.page}; if it is private: {_LOGIN}"


def _refused(status: int, about: About) -> ModelHubError:
    if status == 401:
        return AccessDenied("HuggingFace does not know this token" if about.with_token else "no token", mend=_LOGIN)
    if status == 403:
        return AccessDenied(f"this account may not see {about.repo or 'that'}", mend=f"look at {about.page}")
    if status == 429:
        return Unreachable("HuggingFace asks for a pause: too many questions", mend="try again in a few minutes")
    return Unreachable(f"HuggingFace answers with status {status}", mend="try again later")
