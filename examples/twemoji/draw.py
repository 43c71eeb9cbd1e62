"""Draws the shipped pictures from an unpacked npm package.

python -m examples.twemoji.draw --package DIR [--size 128] [--out examples/twemoji/icons]
"""

import argparse
import hashlib
import json
from pathlib import Path

from PIL import Image

from examples.starter.data import read_icons, render

COUNT = 100
_STYLE = "twemoji style"
_COLOURS = 64
"""Of a picture's palette: what such flat drawings need."""


def known_names() -> list[str]:
    """Names that the starter was trained on, in two other styles."""
    gallery = json.loads((Path(__file__).parents[2] / "benchmarks" / "gallery.json").read_text("utf-8"))
    return [caption.partition(",")[0] for caption in gallery["captions"] if caption.endswith(", noto style")]


def chosen(names: list[str], icons: dict[str, str]) -> list[str]:
    """So many of them that there are icons of, in the order of their hash, so that the choice never changes."""
    there = [name for name in names if name.replace(" ", "-") in icons]
    return sorted(sorted(there, key=lambda name: hashlib.sha256(name.encode()).digest())[:COUNT])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, required=True, help="unpacked @iconify-json/twemoji")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "icons")
    wanted = parser.parse_args()
    icons = read_icons(wanted.package).svg
    wanted.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in chosen(known_names(), icons):
        file = f"{name.replace(' ', '-')}.png"
        picture = Image.fromarray(render(icons[name.replace(" ", "-")], wanted.size))
        picture.quantize(_COLOURS).save(wanted.out / file, optimize=True)
        rows.append(json.dumps({"file_name": file, "text": f"{name}, {_STYLE}"}))
    (wanted.out / "metadata.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
