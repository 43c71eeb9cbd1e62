"""A picture enlarged and drawn over tile by tile (webui: SD upscale): as large as one likes, with a tile's memory."""

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace

from PIL import Image

from inference.engine import Engine
from inference.infotext.write import infotext
from inference.picture import Picture
from inference.plan import LoadPlan
from inference.plan.pictures import upright
from inference.request import SEEDS, ImageSeed, Tiles
from inference.upscalers.enlarge import scaling
from modelhub.jobs import Notice, Progress

__all__ = ["Place", "Render", "joined", "places", "upscaled"]

Render = Callable[[LoadPlan, Engine], Iterator[Progress | Notice | Picture]]
Place = tuple[int, int]
"""Px from the left and from the top."""

_GRAIN = 8
"""Sides of a tile are multiples of this many px."""


def upscaled(plan: LoadPlan, tiles: Tiles, engine: Engine, render: Render) -> Iterator[Progress | Notice | Picture]:
    """The plan's pictures, each put together from tiles that `render` draws."""
    if plan.request.init is None:
        raise ValueError("nothing to enlarge")
    old = upright(plan.inputs.open(plan.request.init.image))
    old = yield from scaling(old, tiles.scale, plan.upscalers[tiles.upscaler], engine, task="enlarge")
    size = _tile(plan.size, old.size)
    rows = places(old.size, size, tiles.overlap)
    for number, seed in enumerate(plan.seeds, start=1):
        task = f"image {number} of {plan.request.images}, tile"
        drawn = yield from _drawn(list(_parts(plan, old, size, rows, seed)), engine, render, task)
        whole = joined(drawn, rows, old.size, tiles.overlap)
        yield Picture(whole, seed.number, infotext(plan, seed), plan.request.for_image(seed))


def places(size: tuple[int, int], tile: tuple[int, int], overlap: int) -> list[list[Place]]:
    """Where the tiles of a picture begin, row by row: at even distances, the last ones at the far edges."""
    columns, rows = (_along(side, one, overlap) for side, one in zip(size, tile, strict=True))
    return [[(x, y) for x in columns] for y in rows]


def joined(
    tiles: Sequence[Image.Image], rows: Sequence[Sequence[Place]], size: tuple[int, int], overlap: int
) -> Image.Image:
    """The tiles as one picture: over its first `overlap` px each comes in evenly over the one before it."""
    whole = Image.new("RGB", size)
    following = iter(tiles)
    for row in rows:
        strip = Image.new("RGB", (size[0], tiles[0].height))
        for x, _ in row:
            tile = next(following)
            strip.paste(tile, (x, 0), _eased(tile.size, (overlap, 0)) if x and overlap else None)
        top = row[0][1]
        whole.paste(strip, (0, top), _eased(strip.size, (0, overlap)) if top and overlap else None)
    return whole


def _parts(
    plan: LoadPlan, old: Image.Image, size: tuple[int, int], rows: Sequence[Sequence[Place]], seed: ImageSeed
) -> Iterator[LoadPlan]:
    """What draws each tile, its seed one up from the last one's."""
    width, height = size
    alone, init = plan.request.for_image(seed), plan.request.init
    for index, (x, y) in enumerate(place for row in rows for place in row):
        image = plan.inputs.hold(old.crop((x, y, x + width, y + height)))
        own = {
            "seed": (alone.seed + index) % SEEDS,
            "width": width,
            "height": height,
            "tiles": None,
            "init": init and init.model_copy(update={"image": image}),
        }
        yield replace(plan, request=alone.model_copy(update=own))


def _drawn(
    parts: Sequence[LoadPlan], engine: Engine, render: Render, task: str
) -> Generator[Progress, None, list[Image.Image]]:
    images: list[Image.Image] = []
    for number, part in enumerate(parts, start=1):
        for event in render(part, engine):
            if isinstance(event, Picture):
                images.append(event.image)
            elif isinstance(event, Progress):
                yield replace(event, task=f"{task} {number} of {len(parts)}")
    return images


def _tile(wanted: tuple[int, int], picture: tuple[int, int]) -> tuple[int, int]:
    """No larger than the picture."""
    width, height = (min(one, side // _GRAIN * _GRAIN) for one, side in zip(wanted, picture, strict=True))
    return width, height


def _along(side: int, tile: int, overlap: int) -> list[int]:
    if tile >= side:
        return [0]
    count = math.ceil((side - overlap) / (tile - overlap))
    distance = (side - tile) / (count - 1)
    return [min(int(index * distance), side - tile) for index in range(count)]


def _eased(size: tuple[int, int], over: tuple[int, int]) -> Image.Image:
    """A mask that grows evenly from 0 to 255 over so many px from the left, or from the top."""
    across = over[0] > 0
    length, ease = (size[0], over[0]) if across else (size[1], over[1])
    line = Image.new("L", (length, 1) if across else (1, length))
    line.putdata([min(255 * index // ease, 255) for index in range(length)])
    return line.resize(size, Image.Resampling.NEAREST)
