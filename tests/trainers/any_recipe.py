"""Recipes by lot, over small pictures and tiny models: any entry may say anything that its table takes."""

import random
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests import tiny, tiny_families
from tests.trainers.pictures import Size, picture
from tests.trainers.recipe_values import HOSTILE, SECOND, STRANGE, VALUES
from trainers.recipe.entries import entries
from trainers.recipe.methods import FORMATS

__all__ = ["Ground", "drawn"]

_BASES = ("sd1", "sd1", "sd1-v", "sd2", "sd2-v", "sdxl", "sdxl-v")
_METHODS = ("lora", "lora", "lora", "textual_inversion", "full", "hypernetwork")
_SETS = ("few", "few", "many", "kohya.toml", "subsets")
_CAPTIONS = (
    "a red ramp, blue corner, kip", "kip ||| tall, wide ;;; flat, (blue:1.3)", "{a dog|a cat}, a hill",
    ", ".join(f"word{number}" for number in range(60)), "an [old] photo\na second line",
)  # fmt: skip


@dataclass(frozen=True)
class Ground:
    """Models and pictures that recipes are drawn over, made once."""

    root: Path

    @classmethod
    def laid(cls, root: Path) -> "Ground":
        (root / "models").mkdir(parents=True)
        _write_models(root / "models")
        _write_pictures(root / "pictures")
        with Catalog.create(Workspace(root / "home")) as catalog:
            for path in sorted((root / "models").iterdir()):
                catalog.sha256(catalog.add(path, name=path.stem))
        return cls(root)

    def catalog(self, home: Path) -> closing[Catalog]:
        """That of a new workspace, which knows the models."""
        home.mkdir(parents=True)
        shutil.copy(Workspace(self.root / "home").catalog, Workspace(home).catalog)
        return closing(Catalog.open(Workspace(home)))

    def placed(self, entry: str, value: Any) -> Any:
        """What an entry says, or where it lies."""
        if entry.rpartition(".")[2] in ("regularisation", "masks", "images") and isinstance(value, str):
            return str(self.root / "pictures" / value)
        return value


def drawn(seed: int, ground: Ground) -> dict[str, Any]:
    """Entries of a recipe, as a file would have them."""
    chance = random.Random(seed)
    method = chance.choice(_METHODS)
    fields: dict[str, Any] = {
        "method": method, "base": chance.choice(_BASES), "name": "kip", "dataset": _dataset(chance, ground),
        "options": _of_a_lora(chance) if method == "lora" else {}, "validation": {"pairs": 2},
        "preview": {"sampling_steps": 1}, **({"learning_rate": 1e-3} if method == "full" else {}), **_length(chance),
    }  # fmt: skip
    names = [entry.name for entry in entries(method)]
    often = chance.choice((0.04, 0.1, 0.2))
    for entry in (one for one in names if one in VALUES and chance.random() < often):
        _put(fields, entry, ground.placed(entry, chance.choice(VALUES[entry])))
    if chance.random() < 0.25:
        entry = chance.choice([one for one in names if one in HOSTILE])
        _put(fields, entry, ground.placed(entry, chance.choice(HOSTILE[entry])))
    return _made_to_fit(fields, chance)


def _of_a_lora(chance: random.Random) -> dict[str, Any]:
    algorithm = chance.choice(("lora", "lora", "loha", "lokr", "oft"))
    return {"rank": 2, "algorithm": algorithm, **({"dora": True} if chance.random() < 0.2 else {})}


def _length(chance: random.Random) -> dict[str, Any]:
    ways = ({"steps": chance.choice((1, 2, 3, 4, 5))}, {"steps_range": chance.choice(((2, 4), (3, 3)))}, {"epochs": 1})
    return chance.choices(ways, (7, 2, 1))[0]


def _made_to_fit(fields: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """With what some entries need others for, so that few recipes are refused for that."""
    predicts = fields.get("prediction") or ("v" if fields["base"].endswith("-v") else "epsilon")
    if predicts != "v":
        fields.get("noise", {}).pop("zero_terminal_snr", None)
        fields.get("loss", {}).pop("scale_v_like_noise", None)
    if not fields["base"].startswith("sdxl"):
        fields.pop("second_text_encoder_learning_rate", None)
    if fields["method"] == "textual_inversion":
        fields["dataset"].pop("regularisation", None)
        fields.pop("prior", None)
    if fields["method"] == "lora" and chance.random() < 0.15:
        words = {"token": "zwx", "vectors": chance.choice((1, 3)), "until": chance.choice((1.0, 0.4))}
        fields["options"]["pivotal"] = words
    if fields["options"].get("algorithm", "lora") != "lora":
        fields["options"].pop("plus_ratio", None)
    _write_what_it_can(fields)
    if "every" in fields["preview"]:
        fields["preview"]["prompts"] = ["a ramp, kip", STRANGE]
    if "draw" in fields.get("prior", {}):
        fields["prior"].setdefault("caption", "a dog")
    return fields


def _write_what_it_can(fields: dict[str, Any]) -> None:
    """One format of others is left as it is, to be refused."""
    method = "textual_inversion" if "pivotal" in fields["options"] else fields["method"]
    unread = () if fields["options"].get("algorithm", "lora") == "lora" else ("diffusers",)
    formats = fields.get("export", {}).get("formats", ())
    if len(formats) > 1:
        kept = tuple(one for one in formats if one in FORMATS[method] and one not in unread)
        fields["export"]["formats"] = kept or ("kohya",)


def _put(fields: dict[str, Any], entry: str, value: object) -> None:
    *above, last = entry.split(".")
    for name in above:
        fields = fields.setdefault(name, {})
    fields[last] = value


def _dataset(chance: random.Random, ground: Ground) -> dict[str, Any]:
    chosen = chance.choice(_SETS)
    if chosen != "subsets":
        return {"images": ground.placed("images", chosen)}
    said = [(entry, chance.choice(values)) for entry, values in SECOND.items() if chance.random() < 0.2]
    second = {entry: ground.placed(entry, value) for entry, value in [("images", "others"), *said]}
    return {"subsets": [{"images": ground.placed("images", "few")}, second]}


def _write_pictures(folder: Path) -> None:
    for index, size in enumerate(((64, 64), (80, 64), (64, 128), (200, 90), (50, 50))):
        _write(folder / "few" / f"p{index}.png", size, index, _CAPTIONS[index])
    _write(folder / "few" / "2_kip" / "wide.png", (128, 64), 9, None)
    for index in range(12):
        _write(folder / "many" / f"m{index}.png", (64, 64 + 16 * (index % 2)), 20 + index, f"pattern {index}, kip")
    for index in range(3):
        _write(folder / "others" / f"o{index}.png", (72, 64), 40 + index, f"other {index}, a thing")
        _write(folder / "classes" / f"c{index}.png", (64, 64), 50 + index, "a dog")
    _write_masks(folder)
    (folder / "kohya.toml").write_text(
        "[general]\nshuffle_caption = true\nkeep_tokens = 1\ncaption_extension = '.txt'\n[[datasets]]\n"
        f"resolution = 64\n[[datasets.subsets]]\nimage_dir = '{folder / 'others'}'\nnum_repeats = 2\n"
        f"[[datasets.subsets]]\nimage_dir = '{folder / 'few'}'\nflip_aug = true\n",
        encoding="utf-8",
    )


def _write(path: Path, size: Size, number: int, caption: str | None) -> None:
    """A ramp under coarse squares of its own, so that none is taken for a copy of another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    squares = np.random.default_rng(number).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    Image.blend(picture(size), Image.fromarray(squares).resize(size, Image.Resampling.NEAREST), 0.7).save(path)
    if caption is not None:
        path.with_suffix(".txt").write_text(caption, encoding="utf-8")


def _write_masks(folder: Path) -> None:
    """Of some pictures of two sets, and in one picture's own alpha."""
    (folder / "masks").mkdir()
    mask = Image.new("L", (64, 64))
    mask.paste(255, (8, 8, 40, 56))
    for name in ("p0", "p2", "o1", "m3"):
        mask.save(folder / "masks" / f"{name}.png")
    with Image.open(folder / "few" / "p1.png") as opaque:
        opaque.putalpha(mask.resize(opaque.size))
        opaque.save(folder / "few" / "p1.png")


def _write_models(folder: Path) -> None:
    v = {"modelspec.prediction_type": "v"}
    tiny.write_checkpoint(folder / "sd1.safetensors")
    tiny.write_checkpoint(folder / "sd1-v.safetensors", 1, **v)
    for family in ("sd2", "sdxl"):
        tiny_families.write_family(folder / f"{family}.safetensors", family)
        tiny_families.write_family(folder / f"{family}-v.safetensors", family, 1, **v)
    tiny.write_vae(folder / "vae.safetensors", 3)
