"""A report -> HTML in one file, which asks nothing of a network and runs no script."""

import base64
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from modelhub.workspace import publish
from trainers.doctor.checks.masks import coverage
from trainers.doctor.checks.tags import tag_counts
from trainers.doctor.nouns import Finding, Picture, Report
from trainers.doctor.page.charts import Bar, Dot, bars, dots, token_bars
from trainers.doctor.placing import Placed, placed
from trainers.doctor.wording import below, count, share

__all__ = ["page", "write_page"]

_TAGS = 40
"""Most frequent tags that are listed."""
_FILES = 60
"""Names that one finding lists."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""What HTML may not hold: names of files and captions may."""


@dataclass(frozen=True, slots=True)
class _Tag:
    text: str
    sort: str
    """``trigger``, ``always``, ``once``, or nothing."""


@dataclass(frozen=True, slots=True)
class _Card:
    """A picture as the page shows it."""

    place: int
    """Its number, by which findings point to it."""
    name: str
    image: str
    """Data URI; empty for a picture that does not open."""
    size: str
    facts: tuple[str, ...]
    tags: tuple[_Tag, ...]
    findings: tuple[Finding, ...]


def write_page(report: Report, path: Path) -> None:
    """Write the page whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with publish(path) as part:
        part.write_text(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", page(report)), encoding="utf-8")


def page(report: Report) -> str:
    """The HTML; report from `examine` with thumbnails."""
    environment = Environment(
        loader=PackageLoader("trainers.doctor", "page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    cards = list(_cards(report))
    found = list(placed(report.seen))
    return environment.get_template("page.html.j2").render(
        title=report.seen.root.resolve().name,
        root=str(report.seen.root.resolve()),
        trigger=report.seen.orders.trigger,
        heads=_heads(report, found),
        findings=[(one, _links(report, one)) for one in report.findings],
        cards=cards,
        groups=[[cards[index] for index in group] for group in report.seen.look_alikes],
        turned=[(cards[one.left], cards[one.right]) for one in report.seen.turned],
        charts=_charts(report, found),
        dots=_dots(report, found),
        largest=max((max(glance.size) for _, glance in report.seen.readable), default=0),
    )


def _heads(report: Report, found: Sequence[Placed]) -> list[tuple[str, str]]:
    """Head figures: a number and what it counts."""
    figures, seen = report.figures, report.seen
    enlarged = sum(one.enlarged > 1 for one in found)
    cut = [one.cut_off for one in found]
    heads = [
        (str(figures.pictures), "pictures to learn from"),
        (f"{figures.epoch:g}", "in an epoch, with repeats"),
        (str(len({one.placement.bucket for one in found})), f"buckets at {_sides(seen.orders.resolutions)} px"),
        (str(figures.longest_caption), "tokens in the longest caption"),
        (str(enlarged), "enlarged for their bucket"),
        (share(sum(cut) / len(cut)) if cut else "-", "cut off at the edges, on average"),
    ]
    if figures.class_pictures:
        heads.insert(1, (str(figures.class_pictures), "pictures of the class"))
    return heads


def _sides(resolutions: Sequence[int]) -> str:
    return ", ".join(map(str, resolutions))


def _cards(report: Report) -> Iterator[_Card]:
    pictures = report.seen.pictures
    names = below(report.seen.root, [one.path for one in pictures])
    counts = tag_counts([one for one in pictures if one.caption])
    captioned = sum(one.caption is not None for one in pictures)
    tokens = report.seen.tokens
    where: dict[Path, list[Placed]] = defaultdict(list)
    for each in placed(report.seen):
        where[each.picture.path].append(each)
    told: dict[Path, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        for path in finding.which:
            told[path].append(finding)
    for index, one in enumerate(pictures):
        files = dict.fromkeys(path for path in (one.path, one.caption_file, one.mask) if path)
        yield _Card(
            place=index,
            name=names[index],
            image=_data_uri(one),
            size=f"{one.seen.size[0]} x {one.seen.size[1]}" if one.seen else "does not open",
            facts=tuple(_facts(one, tokens[index], where[one.path])),
            tags=tuple(_tags(one, report.seen.orders.trigger, counts, captioned)),
            findings=tuple(finding for path in files for finding in told[path]),
        )


def _facts(one: Picture, tokens: int, where: Sequence[Placed]) -> Iterator[str]:
    for each in where:
        width, height = each.placement.bucket
        grown = f", enlarged {each.enlarged:.1f} times" if each.enlarged > 1 else ""
        yield f"bucket {width} x {height}{grown}"
    if one.subset.repeats != 1:
        yield f"{one.subset.repeats:g} times an epoch"
    yield count(tokens, "token")
    if one.subset.regularisation:
        yield "of the class"
    if (part := coverage(one)) is not None:
        yield f"mask covers {share(part)}"


def _tags(one: Picture, trigger: str, counts: Mapping[str, int], captioned: int) -> Iterator[_Tag]:
    for tag in one.tags:
        number = counts.get(tag.casefold(), 0)
        sort = "always" if number == captioned > 1 else "once" if number == 1 else ""
        yield _Tag(tag, "trigger" if trigger and tag.casefold() == trigger.casefold() else sort)


def _data_uri(one: Picture) -> str:
    if not one.seen or not one.seen.thumbnail:
        return ""
    return "data:image/webp;base64," + base64.b64encode(one.seen.thumbnail).decode()


def _links(report: Report, finding: Finding) -> list[tuple[str, int | None]]:
    """Names of a finding's files, each with the place of its picture where it has one."""
    places = {
        path: index
        for index, one in enumerate(report.seen.pictures)
        for path in (one.path, one.caption_file, one.mask)
        if path
    }
    shown = finding.which[:_FILES]
    names = below(report.seen.root, shown)
    return [(name, places.get(path)) for name, path in zip(names, shown, strict=True)]


def _charts(report: Report, found: Sequence[Placed]) -> list[tuple[str, list[Bar]]]:
    buckets = Counter(f"{one.placement.bucket[0]} x {one.placement.bucket[1]}" for one in found)
    folders: Counter[str] = Counter()
    for one, _ in report.seen.readable:
        folders[one.path.parent.name] += one.subset.repeats  # type: ignore[assignment]  # 1.5 is once and twice in turn
    charts = [
        ("Buckets", bars(buckets.most_common())),
        ("Tokens of captions", token_bars(report.seen.tokens)),
        ("Most frequent tags", bars(tag_counts(list(report.seen.pictures)).most_common(_TAGS))),
    ]
    if len(folders) > 1:
        charts.insert(1, ("An epoch by folders", bars(folders.most_common())))
    return [(title, each) for title, each in charts if each]


def _dots(report: Report, found: Sequence[Placed]) -> list[Dot]:
    sizes = [glance.size for _, glance in report.seen.readable]
    return dots(sizes, sorted({one.placement.bucket for one in found}))
