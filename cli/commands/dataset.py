"""`modelhub dataset check|stats|caption DIR`: what a training would learn from."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import PARTIAL
from cli.flags.captioning import RuleFlags, WordFlags, WritingFlags
from cli.flags.dataset import DatasetFlags
from cli.options import Device
from cli.render import plain, table
from cli.session import Session
from modelhub.errors import BadValue, BrokenFile, MissingPackage

if TYPE_CHECKING:
    from trainers.captioning import Change
    from trainers.doctor import Finding, Report
    from trainers.recipe import Recipe

command = typer.Typer(help="Look at pictures and captions before training on them.", no_args_is_help=True)

_PLACE = typer.Argument(metavar="DIR", help="A folder of pictures, or a description: .toml, .json, .yaml.")
_NATIVE = 512
_THUMBNAIL = 192
"""Pixels."""
_CELL = 60
"""Characters of a caption in a table."""


@command.command("check")
def check(
    session: Session,
    flags: DatasetFlags,
    place: Annotated[Path | None, _PLACE] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 2 for warnings too.")] = False,
) -> None:
    """Say what is wrong with a dataset, and what mends it; exits with 2 where a training would be refused."""
    report = _examined(session, place, flags, thumbnail=0)
    result = {"refused": report.is_refused, "figures": report.figures, "findings": report.findings}
    session.output.show(
        result, text=lambda: plain(_told(report)), ids=dict.fromkeys(one.code for one in report.findings)
    )
    if report.is_refused or (strict and any(one.severity == "warning" for one in report.findings)):
        raise typer.Exit(BadValue.exit_code)


@command.command("stats")
def stats(
    session: Session,
    flags: DatasetFlags,
    place: Annotated[Path | None, _PLACE] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The page.", show_default="DIR.html")
    ] = None,
) -> None:
    """Write a page of all pictures with captions, buckets, histograms and findings; it needs no network to be seen."""
    report = _examined(session, place, flags, thumbnail=_THUMBNAIL)
    from trainers.doctor.page import write_page

    path = session.cwd / (out.expanduser() if out else f"{report.seen.root.resolve().stem}.html")
    write_page(report, path)
    session.output.show({"path": path, "figures": report.figures}, text=lambda: plain(str(path)), ids=[path])


@command.command("caption")
def caption(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of pictures, and those below it.")],
    words: WordFlags,
    rules: RuleFlags,
    writing: WritingFlags,
    masks: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder in it that holds masks.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Pictures that a model sees at once.")] = 4,
    device: Device = None,
) -> None:
    """Write captions beside pictures: from their names, by a tagger or a captioner, or only put right by rules.

    Captions that are there are kept, unless --append or --overwrite says otherwise: so the same again goes on where a
    stop left it. Exits with 5 where some pictures got none: they cannot be opened, or the model cannot take them.
    """
    if words == WordFlags() and rules == RuleFlags():
        raise BadValue("there is nothing to write", mend="modelhub dataset caption DIR --from name, or --trigger WORD")
    try:
        from trainers.captioning import asks
        from trainers.captioning import caption as captioned
    except ModuleNotFoundError as error:
        raise MissingPackage(str(error.name), "train") from error
    how, changed = writing.writing(), rules.rules()
    place, apart = session.cwd / folder.expanduser(), masks and session.cwd / masks.expanduser()
    say = words.said_by(session, device, is_asked=asks(place, how, masks=apart))
    changes = session.run(captioned(place, say, changed, how, batch=batch, masks=apart))
    written = [str(one.file) for one in changes if one.outcome == "written"]
    session.output.show(changes, text=lambda: plain(_captions_told(changes, place, writing)), ids=written)
    if any(one.why for one in changes):
        raise typer.Exit(BrokenFile.exit_code if all(one.why for one in changes) else PARTIAL)


def _examined(session: Session, place: Path | None, flags: DatasetFlags, *, thumbnail: int) -> "Report":
    """Look at what the flags and the recipe come to; raises `MissingPackage` naming the extra."""
    try:
        from trainers.dataset.glances import Glances
        from trainers.doctor import examine, orders_of
    except ModuleNotFoundError as error:
        raise MissingPackage(str(error.name), "train") from error
    wanted = _recipe(session, place, flags)
    native = _NATIVE
    if flags.base and not wanted.dataset.resolution:
        from trainers.doctor.before import native_side

        with session.open_catalog() as catalog:
            native = native_side(flags.base, catalog)
    workspace = session.workspace
    glances = Glances.of(workspace) if workspace.catalog.is_file() else Glances()
    return session.run(examine(wanted.dataset, orders_of(wanted, native), glances=glances, thumbnail=thumbnail))


def _recipe(session: Session, place: Path | None, flags: DatasetFlags) -> "Recipe":
    """The recipe's entries, which may be few, with the flags over them."""
    from cli.flags.entries import over
    from trainers.recipe import parse_recipe, read_fields

    said = read_fields(session.cwd / flags.recipe) if flags.recipe else {}
    fields = over(over({"base": "", "name": "", "dataset": {}}, said), dict(flags.entries(session.cwd)))
    if place is not None:
        fields["dataset"].pop("subsets", None)
        fields["dataset"]["images"] = session.cwd / place.expanduser()
    if not fields["dataset"].keys() & {"images", "subsets"}:
        raise BadValue("which dataset?", mend="modelhub dataset check DIR")
    return parse_recipe(fields, str(flags.recipe or place))


def _told(report: "Report") -> str:
    """Head figures, then findings by severity, each with its mend."""
    figures = report.figures
    sides = ", ".join(map(str, report.seen.orders.resolutions))
    head = (
        f"{report.seen.root}: {figures.pictures} picture{'s' * (figures.pictures != 1)}, "
        f"{figures.epoch:g} in an epoch, "
        f"{len(figures.buckets)} bucket{'s' * (len(figures.buckets) != 1)} at {sides} px; "
        f"longest caption {figures.longest_caption} token{'s' * (figures.longest_caption != 1)}"
    )
    lines = [head]
    for title, severity in (
        ("errors: a training would be refused", "error"), ("warnings", "warning"), ("notes", "note"),
    ):  # fmt: skip
        found = [one for one in report.findings if one.severity == severity]
        lines += ["", title] if found else []
        lines += [line for one in found for line in _lines(one)]
    return "\n".join(lines if report.findings else [head, "", "nothing is wrong with it"])


def _lines(finding: "Finding") -> list[str]:
    mend = [f"      mend: {finding.mend}"] if finding.mend else []
    return [f"  {finding.code}: {finding.what}", *mend]


def _captions_told(changes: "Sequence[Change]", root: Path, writing: WritingFlags) -> str:
    """How many captions are what; before anything is written, each that would be."""
    counts = Counter[str](one.outcome for one in changes)
    written = [one for one in changes if one.outcome == "written"]
    phrases = {
        "written": "would be written" if writing.dry_run else "written",
        "same": "are so already",
        "kept": "kept: --append adds to them, --overwrite changes them",
        "nothing": "have nothing to say",
        "unreadable": "are of pictures that cannot be opened",
        "failed": "are of pictures that the model cannot take",
    }
    told = [f"{counts[each]} captions {phrase}" for each, phrase in phrases.items() if counts[each]]
    if writing.dry_run and written:
        rows = [(one.file.relative_to(root), _cell(one.before), _cell(one.after)) for one in written]
        told = [table(("FILE", "NOW", "THEN"), rows), "", *told]
    return "\n".join(told)


def _cell(text: str | None) -> str:
    line = " | ".join((text or "").split("\n"))
    return line if len(line) <= _CELL else f"{line[: _CELL - 1]}\N{HORIZONTAL ELLIPSIS}"
