"""`modelhub login [HUB]`."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from cli.render import table
from cli.session import Session
from modelhub.errors import BadValue, ModelHubError

if TYPE_CHECKING:
    from modelhub.hubs import Access, Account
    from modelhub.tokens import Secret

_LONGEST = 1 << 14


@dataclass(frozen=True, slots=True)
class Standing:
    """Whom one hub takes us for."""

    hub: str
    account: str | None
    about: str
    """Its tier; or why there is no account."""
    kept_in: str | None
    """Where its token lies."""


def command(
    session: Session,
    hub: Annotated[str | None, typer.Argument(metavar="[civitai|hf]", help="The hub.", show_default=False)] = None,
    token_stdin: Annotated[bool, typer.Option("--token-stdin", help="Read the token from standard input.")] = False,
) -> None:
    """Tell a hub who you are, with a token made on its pages; without a hub, tell whom each takes you for."""
    with session.access() as access:
        if hub:
            _log_in(session, access, hub, from_input=token_stdin)
        elif token_stdin:
            raise BadValue("no hub was named", mend="modelhub login civitai --token-stdin")
        else:
            _show_all(session, access)


def _log_in(session: Session, access: "Access", hub: str, *, from_input: bool) -> None:
    from modelhub.hubs import connect

    title = _title(hub)
    token = _given(session, hub, from_input=from_input)
    account = connect(hub, replace(access, tokens=access.tokens.with_token(hub, token))).account()
    standing = Standing(hub, account.name, account.about, access.tokens.keep(hub, token))
    session.output.show(standing, text=lambda: _greeting(title, account, standing), ids=[account.name])
    if nearer := access.tokens.in_environment(hub):
        session.output.hint(f"{nearer.origin} is set and wins over it: unset {nearer.origin}")


def _title(hub: str) -> str:
    from modelhub.tokens import PLACES

    if hub not in PLACES:
        raise BadValue(f"nobody logs in at {hub!r}", mend=f"modelhub login {'|'.join(PLACES)}")
    return PLACES[hub].title


def _given(session: Session, hub: str, *, from_input: bool) -> "Secret":
    """Never an argument: those stand in the shell's history and in the list of processes."""
    from modelhub.tokens import PLACES, as_token

    if from_input or not sys.stdin.isatty():
        return as_token(sys.stdin.read(_LONGEST), "what was read")
    session.output.hint(f"make a token at {PLACES[hub].page}")
    return as_token(typer.prompt("token", hide_input=True, err=True), "what was typed")


def _greeting(title: str, account: "Account", standing: Standing) -> str:
    about = f" ({account.about})" if account.about else ""
    return f"{title} knows you as {account.name}{about}; the token is kept in {standing.kept_in}"


def _show_all(session: Session, access: "Access") -> None:
    from modelhub.hubs import names
    from modelhub.tokens import PLACES

    all_of_them = [_standing(access, hub) for hub in PLACES if hub in names()]
    accounts = [one.account for one in all_of_them if one.account]
    session.output.show(all_of_them, text=lambda: _told(all_of_them), ids=accounts)


def _standing(access: "Access", hub: str) -> Standing:
    from modelhub.hubs import connect

    try:
        found = access.tokens.found(hub)
        if found is None:
            return Standing(hub, None, f"no token: modelhub login {hub}", None)
        account = connect(hub, access).account()
        return Standing(hub, account.name, account.about, found.origin)
    except ModelHubError as error:
        return Standing(hub, None, error.message, None)


def _told(standings: Sequence[Standing]) -> str:
    rows = [(one.hub, one.account or "-", one.about, one.kept_in or "-") for one in standings]
    return table(("HUB", "ACCOUNT", "", "TOKEN IN"), rows)
