"""What is put right in a caption without a model (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass

from trainers.captioning.tags import alike, joined, spaced, split
from trainers.dataset.captions import has_word

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """Changes to captions, made in the order of these fields; tags stand between commas, compared whatever their case.

    Applied twice, the rules that place something change nothing the second time.
    """

    replaced: tuple[tuple[str, str], ...] = ()
    """Text -> text, wherever it stands."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Tag -> tag."""
    removed: tuple[str, ...] = ()
    """Tags."""
    spaces: bool = False
    """Underscores become spaces, but for kaomoji."""
    unique: bool = False
    """A tag that is there twice stays where it stands first."""
    first: tuple[str, ...] = ()
    """Tags that come first, in this order, where a caption has them."""
    prefix: str = ""
    """Of captions that say something, as `suffix` is."""
    suffix: str = ""
    trigger: str = ""
    """Word that comes before all, where a caption lacks it."""

    def applied(self, text: str) -> str:
        return self.placed(self.cleaned(text))

    def cleaned(self, text: str) -> str:
        """What its words become; a caption of several lines line by line."""
        return "\n".join(map(self._cleaned, text.split("\n")))

    def placed(self, text: str) -> str:
        """What comes first and last."""
        return "\n".join(map(self._placed, text.split("\n")))

    def _cleaned(self, text: str) -> str:
        for old, new in self.replaced:
            text = text.replace(old, new)
        if not (self.renamed or self.removed or self.spaces or self.unique):
            return text
        names, gone = {alike(old): new for old, new in self.renamed}, set(map(alike, self.removed))
        tags: Iterable[str] = (names.get(alike(tag), tag) for tag in split(text))
        tags = (tag for tag in tags if alike(tag) not in gone)
        tags = map(spaced, tags) if self.spaces else tags
        return joined(_once(tags) if self.unique else tags)

    def _placed(self, text: str) -> str:
        """What stands in its place already is set apart first, so that it is not put there twice."""
        led = bool(self.trigger) and f"{text}, ".startswith(f"{self.trigger}, ")
        body = text[len(self.trigger) :].removeprefix(", ") if led else text
        if body := body.removeprefix(self.prefix).removesuffix(self.suffix):
            body = self.prefix + _sorted(body, list(map(alike, self.first))) + self.suffix
        leads = bool(self.trigger) and (led or not has_word(body, self.trigger))
        return joined(filter(None, [self.trigger, body])) if leads else body


def _once(tags: Iterable[str]) -> Iterable[str]:
    held: dict[str, str] = {}
    for tag in tags:
        held.setdefault(alike(tag), tag)
    return held.values()


def _sorted(text: str, first: list[str]) -> str:
    """Those tags before the others, which stay as they are."""
    tags = split(text)
    if not any(alike(tag) in first for tag in tags):
        return text
    return joined(sorted(tags, key=lambda tag: first.index(alike(tag)) if alike(tag) in first else len(first)))
