"""Drawing again what a picture tells of: its parameters, and the flags that change some of them."""

import sys
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

import typer

from cli.flags.places import ANCHORS, Place, places_of
from cli.session import Session
from modelhub.errors import BadValue, MissingFile

if TYPE_CHECKING:
    from modelhub.catalog import Catalog

__all__ = ["Memory", "OriginFlags"]

G = TypeVar("G")

_WORDS = {"prompt", "negative", "hires_prompt", "hires_negative"}
"""Flags that may name other embeddings than those remembered."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is drawn again, and which flags were given beside it."""

    remembered: Mapping[str, Any] = field(default_factory=dict)
    """Fields of a request; none where nothing is drawn again."""
    given: frozenset[str] = frozenset()

    def anchored(self, group: G) -> G:
        """A group of flags, as if what is remembered had been given: so that one flag can change a part of it."""
        known = {one.name: self._anchor(one.name) for one in fields(group) if one.name in ANCHORS}  # type: ignore[arg-type]
        missing = {name: value for name, value in known.items() if value and getattr(group, name) is None}
        return replace(group, **missing) if missing else group  # type: ignore[type-var]

    def merged(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """What is remembered, changed by the flags that were given; `said` is what all flags say."""
        if not self.remembered:
            return dict(said)
        result = deepcopy(dict(self.remembered))
        for flag in self.given:
            for path in places_of(flag):
                _set(result, path, said)
        if self.given & _WORDS:
            result.pop("embeddings", None)
        _check_pictures(result)
        return result

    def _anchor(self, name: str) -> Any:
        *parents, last = ANCHORS[name]
        place: Any = self.remembered
        for parent in parents:
            place = place.get(parent) or {}
        value = place.get(last) or ("alpha" if name == "mask" and place else None)
        return _hires_size(value) if isinstance(value, dict) else value


@dataclass(frozen=True, slots=True)
class OriginFlags:
    """Where a request is taken from, if it is not made of flags alone."""

    section: ClassVar = "From a picture or text"

    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="IMAGE|TXT|-", help="Draw again what this tells of; other flags change parts of it."
        ),
    ] = None
    as_: Annotated[
        str | None,
        typer.Option("--as", metavar="img2img|inpaint", help="Draw over the picture of --from, by its parameters."),
    ] = None
    without_missing: Annotated[
        bool, typer.Option("--without-missing", help="Draw without the models that the catalog lacks.")
    ] = False

    def memory(self, session: Session, catalog: "Catalog") -> Memory:
        """Raises `NotFound` naming the models that are missing, and `BadValue` for what tells nothing."""
        if self.source is None:
            self._check_alone()
            return Memory()
        from inference.redraw import missing_models, remembered

        recalled = remembered(_texts(self.source, session.cwd), catalog)
        lacking = [one for one in recalled.missing if one.role not in session.given]
        if lacking and not self.without_missing:
            raise missing_models(lacking)
        for remark in recalled.remarks:
            session.output.hint(remark)
        return Memory(self._drawn_over(dict(recalled.fields), session.cwd), session.given)

    def _check_alone(self) -> None:
        if self.as_ or self.without_missing:
            raise BadValue(
                "--as and --without-missing are said of a picture", mend="modelhub generate --from IMAGE --as img2img"
            )

    def _drawn_over(self, said: dict[str, Any], cwd: Path) -> dict[str, Any]:
        """With the picture itself as what is drawn over, at its own size; that has no second pass."""
        if self.as_ is None:
            return said
        if self.as_ not in ("img2img", "inpaint"):
            raise BadValue(f"--as {self.as_} is unknown", mend="write --as img2img or --as inpaint")
        from PIL import Image

        path = cwd / Path(str(self.source)).expanduser()
        with Image.open(path) as image:
            width, height = (side - side % 8 for side in image.size)
        mask = {"mask": {"image": None}} if self.as_ == "inpaint" else {}
        kept = {name: value for name, value in said.items() if name != "hires"}
        return {**kept, "width": width, "height": height, "init": {"image": str(path), **mask}}


def _hires_size(hires: Mapping[str, Any]) -> str:
    """As ``--hires`` says it."""
    if hires.get("width") or hires.get("height"):
        return f"{hires.get('width') or 0}x{hires.get('height') or 0}"
    return f"{hires.get('scale') or 2.0}x"


def _texts(source: str, cwd: Path) -> Mapping[str, str]:
    """What a picture holds, or a text by itself."""
    from inference.images.texts import PARAMETERS, read_texts

    if source == "-":
        return {PARAMETERS: sys.stdin.read()}
    path = cwd / Path(source).expanduser()
    if path.suffix.lower() != ".txt":
        return read_texts(path)
    try:
        return {PARAMETERS: path.read_text(encoding="utf-8", errors="replace")}
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such file") from None


def _check_pictures(said: Mapping[str, Any]) -> None:
    """Raises `MissingFile` for a picture that was drawn over and that nobody has."""
    from inference.redraw import check_pictures

    check_pictures(said)


def _set(result: dict[str, Any], path: Place, said: Mapping[str, Any]) -> None:
    """Take over what `said` has at `path`; where `result` has nothing around it, all that is said around it."""
    first, *rest = path
    if first not in said:
        return
    if rest and isinstance(result.get(first), dict) and isinstance(said[first], Mapping):
        _set(result[first], tuple(rest), said[first])
    else:
        result[first] = said[first]
