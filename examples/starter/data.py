"""Renders two openly licensed emoji sets into captioned pictures, the training set of the starter.

python -m examples.starter.data --icons DIR --out pictures.npz [--size 256] [--all]
"""

import argparse
import hashlib
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from examples.starter.files import written_whole

STYLES = {"noto": "noto", "flat": "fluent-emoji-flat"}
"""Word in the caption -> folder of the unpacked npm package."""

QUOTAS = {
    "Animals & Nature": 100,
    "Food & Drink": 90,
    "Travel & Places": 70,
    "Objects": 60,
    "Smileys & Emotion": 36,
    "Activities": 24,
    "People & Body": 20,
}
"""Category -> how many names of it the small set takes: 400 in all, each in both styles."""

SKIN_TONES = re.compile(r"-(tone\d|(medium-)?(dark|light|medium)(-skin-tone)?)(-|$)|skin-tone")
NEAR_DUPLICATES = re.compile(
    r"oclock|thirty|-moon|flag|heart|suit$|medal|mailbox|speaker|-book$|notebook|lock(ed)?(-|$)|chart|"
    r"arrow|globe|-facing|face-in-clouds|speech|bubble|index-div|banknote|sun-behind|cloud-with|level-slider"
)
"""Names whose pictures differ by a detail too small to tell apart at this size, or are mostly text."""
GESTURES = re.compile(r"^(?!man-|woman-|person-).*(hand|finger|fist|thumb|palm|biceps|gesture|clap)")
"""What the small set takes of "People & Body": most of the rest are the same person at another trade."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures with their captions, in one fixed order."""

    pixels: NDArray[np.uint8]
    """[N, size, size, 3], on white."""
    captions: tuple[str, ...]
    """E.g. "red apple, noto style"."""


@dataclass(frozen=True, slots=True)
class IconSet:
    """One unpacked iconify package."""

    svg: dict[str, str]
    """Icon name -> a whole SVG document."""
    category: dict[str, str]
    """Icon name -> the category that the package lists it under."""


def load(path: Path) -> Pictures:
    """Read what this script wrote."""
    with np.load(path) as archive:
        return Pictures(archive["pixels"], tuple(archive["captions"].tolist()))


def read_icons(package: Path) -> IconSet:
    """Read one unpacked `@iconify-json/*` package, without icons hidden or in a skin tone."""
    collection = json.loads((package / "icons.json").read_text("utf-8"))
    categories = json.loads((package / "metadata.json").read_text("utf-8"))["categories"]
    svg = {}
    for name, icon in collection["icons"].items():
        if icon.get("hidden") or SKIN_TONES.search(name):
            continue
        width, height = (icon.get(side, collection[side]) for side in ("width", "height"))
        side = max(width, height)  # a few icons are not square: they are centred on a square
        view = f"{(width - side) / 2} {(height - side) / 2} {side} {side}"
        svg[name] = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}">{icon["body"]}</svg>'
    return IconSet(svg, {name: category for category, names in categories.items() for name in names})


def choose(names: Iterable[str], category: dict[str, str]) -> list[str]:
    """Pick the small set: `QUOTAS` names of each category, in the order of their hash, so that it never changes."""
    left = dict(QUOTAS)
    chosen = []
    for name in sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest()):
        kind = category.get(name, "")
        if NEAR_DUPLICATES.search(name) or (kind == "People & Body" and not GESTURES.search(name)):
            continue
        if left.get(kind, 0):
            left[kind] -= 1
            chosen.append(name)
    return sorted(chosen)


def render(svg: str, size: int) -> NDArray[np.uint8]:
    """Draw an SVG on white, [size, size, 3]."""
    import resvg_py
    from PIL import Image

    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, background="#ffffff", skip_system_fonts=True)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def draw(icons: Path, size: int, whole: bool) -> Pictures:
    """Render the chosen names in every style, or (`whole`) all names of every style."""
    sets = {style: read_icons(icons / folder) for style, folder in STYLES.items()}
    common = set.intersection(*(set(icon_set.svg) for icon_set in sets.values()))
    chosen = choose(common, sets["noto"].category)
    pixels, captions = [], []
    for style, icon_set in sets.items():
        for name in sorted(icon_set.svg.keys() & icon_set.category.keys()) if whole else chosen:
            pixels.append(render(icon_set.svg[name], size))
            captions.append(f"{name.replace('-', ' ')}, {style} style")
    return Pictures(np.stack(pixels), tuple(captions))


def main() -> None:
    """Render and write the archive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--icons", type=Path, required=True, help="folder holding noto/ and fluent-emoji-flat/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=128, help="px")
    parser.add_argument("--all", action="store_true", help="every icon, not the 400 that a CPU can learn")
    options = parser.parse_args()
    pictures = draw(options.icons, options.size, options.all)
    with written_whole(options.out) as part, part.open("wb") as stream:
        np.savez_compressed(stream, pixels=pictures.pixels, captions=np.array(pictures.captions))
    print(f"{len(pictures.captions)} pictures at {options.size} px -> {options.out}")


if __name__ == "__main__":
    main()
