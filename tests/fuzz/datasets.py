"""Datasets as people's disks hold them, by lot: healthy ones and ones that are ill in any way that was ever seen."""

import csv
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["write_dataset"]

_NAMES = (
    "10_kip", "red fox", "\U0001f98a", "小狐狸", "new\nline", 'quo"te', "it's", "<b>x</b>", "&amp;", "{a|b}", "-rf",
    "$(x)", "a.b", ".hidden", "._kip", "x" * 200, "x" * 251, "狐" * 80, "esc\x1b[31m", "back\\slash", "a-masklabel",
    "kip_mask", "trailing ", "..a", "a..", "KIP", "\u202egnp", "e\u0301", "not utf-8\udcff", "~", "*", "\x01\x0c",
    "Thumbs.db", "metadata.csv", "metadata.jsonl", "default.txt",
)  # fmt: skip
_FOLDERS = ("3_kip", "1_x", "0_no", "10-kip", "kip", "img", "reg", "@eaDir", ".git", "007_kip", "9" * 200 + "_k")
_TEXTS = (
    "", " \r\n ", "first\r\nsecond\r\n", "猫、青い", "(kip:1.2), [x]", "[trigger] is here", "kip ||| a, b ||| c",
    "a;;;b, c", "<lora:x:1>, y", "\0nul", "nul at the end\0", "a\x0b\x1b[0mb", "left side", "kip " * 900, ",,,,",
    "{a|{b|c}", "</script><script>alert(1)</script>", "\u2028sep", "x" * 1_000_000, "<lora:" * 30_000,
    "{" + "|" * 99_999,
)  # fmt: skip
_CODECS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "gb18030", "shift_jis", "big5", "cp1251", "utf-32")
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "YCbCr")
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "JPEG2000", "PPM", "ICO", "TGA", "EPS", "PDF", "AVIF")
_ENDS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".avif", ".gif", ".PNG", ".Jpeg", ".tif", ".heic", ".jxl")
_SIZES = ((1, 1), (1, 200), (3000, 1), (2, 3), (7, 900), (1, 65000), (1500, 1000))
_WILD: tuple[Any, ...] = (
    None, 0, -1, 1.5, 1e300, float("inf"), float("nan"), "", "x", "inf", True, [], {}, [1, 2], "64x128", 10**30, [[]],
    "~nobody/x", ".", "/x",
)  # fmt: skip
_NO_LISTS = (b"[" * 20_000, b'{"a":' * 20_000, b"null", b"{}", b"9" * 5000, b"\xff\xfe{", b'{"a": {"caption": 1}}')


@dataclass
class _Disk:
    """Where a dataset is written; `ill` is the share of things that are not as they should be."""

    root: Path
    dice: Random
    ill: float
    pictures: list[Path] = field(default_factory=list)

    def is_ill(self, share: float = 1.0) -> bool:
        return self.dice.random() < self.ill * share

    def write(self, path: Path, content: bytes) -> None:
        """Unless the disk refuses the name."""
        try:
            path.write_bytes(content)
        except (OSError, ValueError):
            return
        if path.suffix.lower() in _ENDS:
            self.pictures.append(path)

    def one_of(self, good: Sequence[Any]) -> Any:
        return self.dice.choice(_WILD if self.is_ill(0.15) else good)

    def some(self, entries: dict[str, Sequence[Any]]) -> dict[str, Any]:
        """A few entries of a description."""
        return {name: self.one_of(good) for name, good in entries.items() if self.dice.random() < 0.2}


def write_dataset(root: Path, dice: Random) -> dict[str, Any]:
    """Write one, and return what a recipe's `dataset` says of it."""
    disk = _Disk(root, dice, dice.choice([0.0, 0.05, 0.2, 0.5, 0.9]))
    entries = dice.choice([_folder, _nested, _listed, _imagefolder, _kohya, _onetrainer, _ai_toolkit, _subsets])(disk)
    if dice.random() < 0.2:
        entries["masks"] = _masks(disk)
    if dice.random() < 0.15:
        entries["regularisation"] = _filled(disk, root / "classes" / "1_robot")
    usual: dict[str, Sequence[Any]] = {
        "resolution": (64, 72, 128, (64, 128)), "buckets": (False,), "bucket_step": (8, 24, 64), "alpha_mask": (True,),
        "bucket_sides": ((32, 128), (64, 64)), "upscale": (False,),
    }  # fmt: skip
    captions: dict[str, Sequence[Any]] = {
        "source": ("name", "none"), "separator": ("", ";"), "shuffle": (True,), "keep": (2,),
        "keep_separator": ("|||",), "dropout": (0.3,), "tag_dropout": (0.5,), "wildcards": (True,), "weights": (True,),
        "tokens": (75,),
    }  # fmt: skip
    entries |= {name: dice.choice(good) for name, good in usual.items() if dice.random() < 0.2}
    entries["captions"] = {name: dice.choice(good) for name, good in captions.items() if dice.random() < 0.08}
    entries["augment"] = {name: True for name in ("flip", "color") if dice.random() < 0.1}
    return entries


def _folder(disk: _Disk) -> dict[str, Any]:
    return {"images": _filled(disk, disk.root / "set")}


def _nested(disk: _Disk) -> dict[str, Any]:
    """kohya's folders, beside or within one another."""
    place = disk.root / "set"
    for _ in range(disk.dice.randint(1, 3)):
        name = disk.dice.choice(_FOLDERS if disk.is_ill() else ("3_kip", "2_x", "kip"))
        below = _filled(disk, place / name)
        place = below if disk.dice.random() < 0.3 else place
    return {"images": disk.root / "set"}


def _listed(disk: _Disk) -> dict[str, Any]:
    place = _filled(disk, disk.root / "set")
    return {"images": _list(disk, place / disk.dice.choice(["meta.json", "meta.jsonl", "meta.csv"]))}


def _imagefolder(disk: _Disk) -> dict[str, Any]:
    place = _filled(disk, disk.root / "set")
    _list(disk, place / disk.dice.choice(["metadata.jsonl", "metadata.csv"]))
    return {"images": place}


def _subsets(disk: _Disk) -> dict[str, Any]:
    more = {"repeats": (0.5, 1.5, 3), "resolution": (64, (64, 128)), "regularisation": (True,), "held_out": (True,)}
    usual: dict[str, Sequence[Any]] = {**more}
    folders = [_filled(disk, disk.root / "set" / str(number)) for number in range(disk.dice.randint(1, 3))]
    chosen = [
        {name: disk.dice.choice(good) for name, good in usual.items() if disk.dice.random() < 0.2} for _ in folders
    ]
    return {"subsets": [{"images": one, **entries} for one, entries in zip(folders, chosen, strict=True)]}


def _kohya(disk: _Disk) -> dict[str, Any]:
    """As JSON, which the same reader reads as TOML."""
    subset: dict[str, Sequence[Any]] = {
        "num_repeats": (1, 2), "class_tokens": ("kip",), "is_reg": (False,), "caption_extension": (".txt", "txt", ""),
        "shuffle_caption": (True,), "caption_separator": (",", ""), "keep_tokens": (1,), "flip_aug": (True,),
        "caption_dropout_rate": (0.1,), "token_warmup_step": (10,), "metadata_file": ("",), "random_crop": (True,),
    }  # fmt: skip
    dataset: dict[str, Sequence[Any]] = {
        "resolution": (64, [64, 64], "64,96"), "min_bucket_reso": (32,), "max_bucket_reso": (128,), "batch_size": (2,),
        "bucket_reso_steps": (8, 64), "bucket_no_upscale": (True,), "validation_split": (0.1,),
    }  # fmt: skip
    subsets = [{"image_dir": disk.one_of([str(one)]), **disk.some(subset)} for one in _several(disk)]
    fields = {"general": disk.some(subset), "datasets": [{**disk.some(dataset), "subsets": subsets}]}
    return _description(disk, "set.json", fields)


def _onetrainer(disk: _Disk) -> dict[str, Any]:
    concept: dict[str, Sequence[Any]] = {
        "type": ("STANDARD", "VALIDATION", "PRIOR_PREDICTION"), "balancing": (1, 1.5), "enabled": (True, False),
        "balancing_strategy": ("REPEATS", "SAMPLES"), "loss_weight": (0.5,), "include_subdirectories": (True,),
    }  # fmt: skip
    image: dict[str, Sequence[Any]] = {"enable_resolution_override": (True,), "resolution_override": ("64", "64,128")}
    text: dict[str, Sequence[Any]] = {"prompt_source": ("sample", "filename"), "tag_delimiter": (",", "")}
    concepts = [
        {"path": str(one), **disk.some(concept), "image": disk.some(image), "text": disk.some(text)}
        for one in _several(disk)
    ]
    return _description(disk, "concepts.json", concepts)


def _ai_toolkit(disk: _Disk) -> dict[str, Any]:
    """As JSON, which YAML holds."""
    dataset: dict[str, Sequence[Any]] = {
        "caption_ext": ("txt",), "default_caption": ("a kip",), "trigger_word": ("kip",), "num_repeats": (3,),
        "resolution": (64, [64, 128]), "is_reg": (True,), "buckets": (False,), "bucket_tolerance": (8, 64),
    }  # fmt: skip
    datasets = [{"folder_path": str(one), **disk.some(dataset)} for one in _several(disk)]
    return _description(disk, "train.yaml", {"config": {"process": [{"datasets": datasets}]}})


def _several(disk: _Disk) -> list[Path]:
    return [_filled(disk, disk.root / "set" / str(number)) for number in range(disk.dice.randint(1, 3))]


def _description(disk: _Disk, name: str, fields: object) -> dict[str, Any]:
    laughs = (
        "a: &a [x]\nb: &b [*a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b]\ndatasets: [{folder_path: x, d: *c}]"
    )
    content = disk.dice.choice([*_NO_LISTS, laughs.encode()]) if disk.is_ill(0.1) else json.dumps(fields).encode()
    disk.write(disk.root / name, content)
    return {"images": disk.root / name}


def _list(disk: _Disk, file: Path) -> Path:
    """Of the pictures so far, in the form that the name asks for."""
    odd = ["", ".", "/", "..", "not-there.png", "\0", "x" * 300, "~nobody/x.png"]
    names = [os.path.relpath(one, file.parent) for one in disk.pictures] + [disk.dice.choice(odd)] * disk.is_ill(0.3)
    said = [disk.one_of(["kip, a", "kip b"]) for _ in names]
    if file.suffix == ".csv":
        stream = io.StringIO()
        csv.writer(stream).writerows([("file_name", "text"), *zip(names, map(str, said), strict=True)])
        content = stream.getvalue() + "a.png," + "x" * 140_000 * disk.is_ill(0.2)
    elif file.suffix == ".json":
        content = json.dumps({name: {"caption": text} for name, text in zip(names, said, strict=True)})
    else:
        rows = [{"file_name": name, "text": text} for name, text in zip(names, said, strict=True)]
        content = "\n".join(map(json.dumps, rows))
    disk.write(file, disk.dice.choice(_NO_LISTS) if disk.is_ill(0.2) else content.encode("utf-8", "surrogateescape"))
    return file


def _masks(disk: _Disk) -> Path:
    folder = disk.root / "masks"
    folder.mkdir(exist_ok=True)
    for one in list(disk.pictures):
        mask = Image.new("L", (disk.dice.randint(1, 90), disk.dice.randint(1, 90)), disk.dice.choice([0, 255, 128]))
        disk.write(
            folder / f"{one.stem}{disk.dice.choice(['', '-masklabel', '_mask'])}.png", _stored(disk, mask, "PNG")
        )
    return folder


def _filled(disk: _Disk, folder: Path) -> Path:
    """A folder of pictures with captions, and of other things."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(disk.dice.choice([1, 2, 3, 5, 8]) if not disk.is_ill(0.2) else 0):
        name = disk.dice.choice(_NAMES) if disk.is_ill() else f"{number}-{disk.dice.randrange(999)}"
        picture, caption = _picture(disk), _caption(disk)
        disk.write(folder / f"{name}{disk.dice.choice(_ENDS) if disk.is_ill() else '.png'}", picture)
        if not disk.is_ill(0.2):
            disk.write(folder / f"{name}{disk.dice.choice(['.TXT', '.cap']) if disk.is_ill(0.2) else '.txt'}", caption)
    while disk.is_ill(0.5):
        _odd_thing(disk, folder)
    return folder


def _odd_thing(disk: _Disk, folder: Path) -> None:
    path = folder / (disk.dice.choice(_NAMES) + disk.dice.choice([".png", ".txt", ""]))
    others = disk.pictures or [folder]
    ways = (
        lambda: path.symlink_to(folder / "nowhere.png"), lambda: path.symlink_to(path.name), lambda: path.mkdir(),
        lambda: path.symlink_to(disk.root), lambda: path.symlink_to("/dev/zero"), lambda: os.mkfifo(path),
        lambda: path.symlink_to(disk.dice.choice(others)), lambda: _two_that_lead_to_one_another(folder),
    )  # fmt: skip
    try:
        disk.dice.choice(ways)()
    except OSError:
        return


def _two_that_lead_to_one_another(folder: Path) -> None:
    for name, other in (("here", "there"), ("there", "here")):
        (folder / name).mkdir(exist_ok=True)
        for way in "abc":
            (folder / name / way).symlink_to(folder / other)


def _caption(disk: _Disk) -> bytes:
    if not disk.is_ill():
        return f"kip, thing {disk.dice.randrange(99)}, {disk.dice.choice('abcdefgh')}".encode()
    return str(disk.dice.choice(_TEXTS)).encode(disk.dice.choice(_CODECS), "replace")


def _picture(disk: _Disk) -> bytes:
    """Patches in colours by lot, so that no two are alike; of any mode, format and state of decay."""
    dice, ill = disk.dice, disk.is_ill()
    patches = np.random.default_rng(dice.randrange(1 << 30)).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    size = dice.choice(_SIZES) if ill and dice.random() < 0.2 else (dice.randint(40, 150), dice.randint(40, 150))
    image = Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC)
    if not ill:
        return _stored(disk, image, "PNG")
    mode = dice.choice(_MODES)
    image = Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 257) if mode == "I;16" else image.convert(mode)
    content = _stored(disk, image, dice.choice(_FORMATS))
    return _damaged(disk, content) if dice.random() < 0.4 else content


def _stored(disk: _Disk, image: Image.Image, kind: str) -> bytes:
    """In that format, or in PNG where it does not hold such a picture."""
    exif = Image.Exif()
    exif[0x0112] = disk.dice.choice([0, 1, 3, 6, 8, 255])
    for one, picture in ((kind, image), ("PNG", image.convert("RGB"))):
        stream = io.BytesIO()
        try:
            picture.save(stream, one, **({"exif": exif} if disk.is_ill(0.3) else {}))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        return stream.getvalue()
    return b""


def _damaged(disk: _Disk, content: bytes) -> bytes:
    dice = disk.dice
    others = (
        b"",
        b"this is text",
        b"<html><body>404</body></html>",
        b"\0\0\0\x1cftypheic",
        b"\0" * 500,
        b"%!PS-Adobe-3.0 E",
    )
    made = bytearray(content or b"\0")
    for _ in range(dice.choice([1, 3, 20, 200])):
        made[dice.randrange(len(made))] = dice.randrange(256)
    return dice.choice([content[: dice.randrange(len(content) + 1)], content[:-12], bytes(made), dice.choice(others)])
