"""What `modelhub train presets` shows."""

from cli.render import table
from cli.session import Session
from trainers.spelling import command_of

__all__ = ["show_preset", "show_presets"]


def show_presets(session: Session) -> None:
    """All of them, a line each."""
    from trainers.presets import presets

    found = presets()
    rows = [(one.name, command_of(one.method), one.family, one.about) for one in found]
    heads = ("PRESET", "METHOD", "FAMILY", "FOR")
    session.output.show(found, text=lambda: table(heads, rows), ids=[one.name for one in found])


def show_preset(session: Session, name: str) -> None:
    """One of them, as its file says it."""
    from trainers.presets import read_preset

    one = read_preset(name)
    session.output.show(one, text=lambda: one.text.rstrip(), ids=[one.name])
