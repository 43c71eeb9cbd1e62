"""Where captions come from, what is put right in them, and how they are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from cli.session import Session
from modelhub.errors import BadValue

if TYPE_CHECKING:
    from trainers.captioning import Rules, Say, Writing
    from trainers.seeing import Sort

__all__ = ["RuleFlags", "WordFlags", "WritingFlags"]


@dataclass(frozen=True, slots=True)
class WordFlags:
    """What finds the words."""

    section: ClassVar = "Words"

    source: Annotated[
        Literal["name", "folder"] | None,
        typer.Option("--from", help="Words from the names of pictures (red_fox_03.png), or of folders (10_red fox)."),
    ] = None
    tagger: Annotated[
        str | None,
        typer.Option(metavar="REF", help="A WD14 tagger of the catalog, or its folder."),
    ] = None
    general: Annotated[float, typer.Option(min=0.0, max=1.0, help="Tags that the tagger finds so likely.")] = 0.35
    character: Annotated[float, typer.Option(min=0.0, max=1.0, help="The same for names of characters.")] = 0.85
    rating: Annotated[bool, typer.Option("--rating", help="The tagger's rating too, as the last tag.")] = False
    expand: Annotated[bool, typer.Option("--expand", help="name_(series) as two tags.")] = False
    captioner: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="A captioner of the catalog, or its folder: Florence-2, BLIP, BLIP-2, GIT, a chat model that sees.",
        ),
    ] = None
    beams: Annotated[int, typer.Option(min=1, max=32, help="Sentences that the captioner follows at once.")] = 3
    top_p: Annotated[
        float | None,
        typer.Option(min=0.01, max=1.0, help="Draw its words by lot among the likeliest of this share, e.g. 0.9."),
    ] = None
    max_tokens: Annotated[int, typer.Option(min=2, max=500, help="Tokens of its longest sentence.")] = 75
    seed: Annotated[int, typer.Option(min=0, help="Of --top-p.")] = 0
    ask: Annotated[str, typer.Option(metavar="TEXT", help="What a chat model, such as LLaVA or Qwen-VL, is asked.")] = (
        "Describe this picture in one sentence."
    )

    task: Annotated[
        str,
        typer.Option(
            help="What Florence-2 does: caption, detailed_caption, more_detailed_caption, or a fine-tune's own <TASK>."
        ),
    ] = "detailed_caption"

    def said_by(self, session: Session, device: str | None, *, is_asked: bool = True) -> "Say | None":
        """The source that was chosen, loaded where it `is_asked`; None where captions that are there are put right."""
        chosen = [one for one in (self.source, self.tagger, self.captioner) if one]
        if len(chosen) > 1:
            raise BadValue("--from, --tagger and --captioner each find the words", mend="give one; --append adds more")
        if not chosen:
            return None
        return self._opened(session, device) if is_asked else lambda some: self._opened(session, device)(some)

    def _opened(self, session: Session, device: str | None) -> "Say":
        """The source that was chosen; a model is loaded, which takes long."""
        from trainers.seeing import CAPTIONER, TAGGER

        if self.tagger:
            return self._tagger(_place(session, self.tagger, TAGGER), session.settings(device=device).device)
        if self.captioner:
            return self._captioner(_place(session, self.captioner, CAPTIONER), session.settings(device=device).device)
        return self._names(str(self.source))

    def _names(self, source: str) -> "Say":
        from trainers.captioning.names import by_name

        return by_name(source)

    def _tagger(self, place: Path, device: str) -> "Say":
        from trainers.captioning.taggers import TaggerOptions, open_tagger

        options = TaggerOptions(general=self.general, character=self.character, rating=self.rating, expand=self.expand)
        return open_tagger(place, options, device=device)

    def _captioner(self, place: Path, device: str) -> "Say":
        from trainers.captioning.captioners import CaptionerOptions, open_captioner

        options = CaptionerOptions(
            beams=self.beams, top_p=self.top_p, max_tokens=self.max_tokens, seed=self.seed, question=self.ask,
            task=self.task,
        )  # fmt: skip
        return open_captioner(place, options, device=device)


@dataclass(frozen=True, slots=True)
class RuleFlags:
    """What is put right, in this order."""

    section: ClassVar = "Rules"

    replace: Annotated[
        list[str] | None, typer.Option(metavar="OLD=NEW", help="Text to put in place of another; may be repeated.")
    ] = None
    rename_tag: Annotated[
        list[str] | None, typer.Option(metavar="OLD=NEW", help="The same for whole tags; may be repeated.")
    ] = None
    remove_tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="Tag to leave out; may be repeated.")] = (
        None
    )
    spaces: Annotated[bool, typer.Option("--spaces", help="Spaces for underscores, but in kaomoji such as o_o.")] = (
        False
    )
    unique: Annotated[bool, typer.Option("--unique", help="Leave out tags that are there already.")] = False
    first: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Tag that comes first where it is; may be repeated.")
    ] = None
    prefix: Annotated[str, typer.Option(help="Text before each caption.")] = ""
    suffix: Annotated[str, typer.Option(help="Text behind each caption.")] = ""
    trigger: Annotated[str, typer.Option(help="Word to put before all in captions that lack it.")] = ""

    def rules(self) -> "Rules":
        from trainers.captioning import Rules

        return Rules(
            replaced=_pairs(self.replace, "--replace"),
            renamed=_pairs(self.rename_tag, "--rename-tag"),
            removed=tuple(self.remove_tag or ()),
            spaces=self.spaces,
            unique=self.unique,
            first=tuple(self.first or ()),
            prefix=self.prefix,
            suffix=self.suffix,
            trigger=self.trigger,
        )


@dataclass(frozen=True, slots=True)
class WritingFlags:
    """How captions are written."""

    section: ClassVar = "Files"

    append: Annotated[bool, typer.Option("--append", help="Add new tags to captions that are there.")] = False
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Change captions that are there.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written.")] = False
    extension: Annotated[str, typer.Option(help="Of new files.")] = ".txt"

    def writing(self) -> "Writing":
        """Raises `BadValue` for what contradicts itself."""
        from trainers.captioning import Writing

        if self.append and self.overwrite:
            raise BadValue("--append keeps what --overwrite replaces", mend="give one of them")
        if not self.extension.startswith(".") or len(self.extension) < 2:
            raise BadValue(f"--extension {self.extension!r}: it begins with a dot", mend="write --extension .txt")
        return Writing(extension=self.extension, append=self.append, overwrite=self.overwrite, dry=self.dry_run)


def _place(session: Session, ref: str, sort: "Sort") -> Path:
    """A path, or where a model of the catalog lies."""
    from trainers.seeing import is_place, looked_up

    path = session.cwd / Path(ref).expanduser()
    if is_place(ref, path):
        return path
    with session.open_catalog() as catalog:
        return looked_up(ref, sort, catalog)


def _pairs(said: Sequence[str] | None, flag: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for one in said or ():
        old, equals, new = one.partition("=")
        if not old or not equals:
            raise BadValue(f"{flag} {one!r} is no OLD=NEW", mend=f'write {flag} "red hair=auburn hair"')
        pairs.append((old, new))
    return tuple(pairs)
