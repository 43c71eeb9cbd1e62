"""`Network`: asks other machines, on `requests`."""

import json
import random
import time
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Any

from modelhub.errors import Unreachable
from modelhub.network._answer import Answer, Reply
from modelhub.network._asking import ATTEMPTS, Busy, demanded, final, is_passing, may_pass, pause, whole
from modelhub.network._rules import Allowed, where
from modelhub.network._steps import Step
from modelhub.tokens import Grant

__all__ = ["Network"]

_REDIRECTS = 10
_STALL_SECONDS = 60.0
_SHORTEST_HIDDEN = 8
"""Letters; what is shorter is no token, and stands in any text by chance."""


class Network:
    """One way out of this machine. Use it as a context manager; it may be used from several threads."""

    def __init__(
        self,
        *,
        allow: Collection[str] = (),
        stall_seconds: float = _STALL_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`allow` names hosts (``nas.local`` or ``nas.local:8080``) that may be plain http or lie in a private network.

        `stall_seconds` is how long a machine may send nothing.
        """
        from modelhub.network._wire import Wire  # a third of a second, which only those who go out should pay

        self._wire = Wire(Allowed.of(allow), stall_seconds)
        self._sleep, self._clock, self._chance = sleep, clock, chance

    def open(
        self,
        url: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        grant: Grant | None = None,
        follow: bool = True,
    ) -> Answer:
        """Ask for `url`; the answer's body is read as it comes, never decoded from any compression.

        `headers` and the token of `grant` go to the origin of `url` only, and the token only if `grant` names its host.
        A redirect that is not to be followed is an answer like any other. Raises `ForbiddenHost`, `Unreachable`.
        """
        return self._open(Step(url, method, params or {}, headers or {}, body, grant), follow=follow)

    def json(
        self,
        url: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        grant: Grant | None = None,
        retry_429: bool = True,
    ) -> Reply:
        """Ask a question whose answer is JSON, again after a pause where the machine asks for one or fails.

        Answers of status 400 to 499 are returned (but 408 and 429, which are asked again; 429 is returned too without
        `retry_429`); raises `Unreachable` when it keeps failing, or answers 200 with something else, such as a page.
        """
        sent = None if body is None else json.dumps(body).encode()
        given = {**(headers or {}), **({"Content-Type": "application/json"} if sent is not None else {})}
        step = Step(url, method, params or {}, given, sent, grant)
        return demanded(self._patiently(step, retry_429=retry_429), url)

    def close(self) -> None:
        self._wire.close()

    def __enter__(self) -> "Network":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _patiently(self, step: Step, *, retry_429: bool) -> Reply:
        for attempt in range(ATTEMPTS - 1):
            try:
                return self._asked(step, retry_429=retry_429)
            except Unreachable as error:
                if not may_pass(error):
                    raise
                wait = pause(error, attempt, self._chance())
            self._sleep(wait)
        return self._asked(step, retry_429=retry_429)

    def _asked(self, step: Step, *, retry_429: bool) -> Reply:
        with self._open(step, follow=True) as answer:
            reply = whole(answer, hidden=_hidden(step), clock=self._clock)
        if is_passing(reply.status, retry_429=retry_429):
            raise Busy(reply, step.url, now=self._clock())
        return reply

    def _open(self, step: Step, *, follow: bool) -> Answer:
        from modelhub.network._body import Body

        hidden, begun = _hidden(step), step.url
        for _ in range(_REDIRECTS + 1):
            answer = Body(self._wire.send(step), hidden)
            if not (follow and answer.location):
                return answer
            with answer:
                step = step.after(answer.status, answer.url, answer.location)
        raise final(Unreachable(f"{where(begun)} redirects without end", mend="check the address"))


def _hidden(step: Step) -> str:
    """The token that must not be shown, should the machine repeat it."""
    token = step.grant.token.reveal() if step.grant else ""
    return token if len(token) >= _SHORTEST_HIDDEN else ""
