"""Whatever was drawn is drawn again from its own file, to the pixel: each kind of picture, by the command line."""

import hashlib
import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from cli.app import main
from modelhub.workspace import Workspace
from tests.inference.everything import ALGORITHMS, write_everything

QUICK = "-m tiny --steps 2 --seed 7 --size 64x64 --device cpu --quiet"
INPAINT = "--init old.png --mask mask.png --denoise 0.8"
HIRES = "--hires 1.5x --hires-steps 1"
KINDS = {
    "txt2img": "'a (red:1.3) cat, [dog:fish:0.5]' -n blue",
    "words of all sorts": "'a cat,\n\"Steps: 9\", 50% 猫 : \\(x\\) # no comment' -n 'x\nNegative: y, Seed: 3'",
    "starter": "'a red fish' -m starter",
    "starter, second pass": "'a red fish' -m starter --hires 2x --hires-steps 1 --hires-denoise 0.5",
    "Stable Diffusion 2": "'a cat' -m second",
    "SDXL": "'a cat' -m wide",
    "variation": "'a cat' --variation 99:0.4",
    "third of a variation": "'a cat' --variation 99:0.4 --count 3",
    "seed of another size": "'a cat' --seed-resize 96x64",
    "third of three": "'a cat' --count 3",
    "noise of the processor": "'a cat' --noise CPU --sampler 'Euler a'",
    "noise of a card": "'a cat' --noise NV --sampler 'Euler a' --ensd 31337",
    "Brownian noise": "'a cat' --sampler 'DPM++ 2M SDE' --schedule Karras",
    "churned noise": "'a cat' --sampler Euler --s-churn 5 --s-noise 1.01 --s-tmin 0.1 --s-tmax 50",
    "ends of a schedule": "'a cat' --schedule Polyexponential --sigma-min 0.1 --sigma-max 12 --rho 2",
    "fewer levels": "'a cat' --discard-next-to-last --min-uncond 5 --eta 0.5 --sampler 'Euler a' --steps 3",
    "DDIM": "'a cat' --sampler DDIM --eta 0.5",
    "texts": "'a (red) cat, BREAK a dog' --clip-skip 2 --emphasis 'No norm' --comma-backtrack 3 --pad empty",
    "VAE": "'a cat' --vae soft",
    "UNet and text encoder": "'a cat' --unet other --text-encoder other",
    "img2img": "'a cat' --init old.png --denoise 0.6 --noise-multiplier 1.1 --extra-noise 0.05 --colour-correction",
    "img2img of another size": "'a cat' --init old.png --size 96x64 --resize-mode crop --exact-steps",
    "latent resize": "'a cat' --init old.png --size 96x64 --resize-mode latent",
    "inpainted": f"'a cat' {INPAINT} --masked-content 'latent noise' --mask-blur 3,2",
    "inpainted outside": f"'a cat' {INPAINT} --mask-invert --masked-content fill",
    "inpainted alone": f"'a cat' {INPAINT} --only-masked --mask-padding 8",
    "inpainted softly": f"'a cat' {INPAINT} --soft bias=2,preservation=0.3",
    "grown": "'a cat' --init old.png --outpaint left=64,blur=4",
    "grown poorly": "'a cat' --init old.png --outpaint up=64 --outpaint-method poor",
    "pix2pix": "'make it a cat' -m edits --init old.png --image-cfg 2",
    "inpainting checkpoint": f"'a cat' -m inpainting {INPAINT} --mask-conditioning 0.9",
    "second pass over latents": f"'a cat' {HIRES} --hires-upscaler 'Latent (bicubic)' --hires-denoise 0.5",
    "second pass over pixels": f"'a cat' {HIRES} --hires-upscaler Lanczos",
    "second pass by a model": "'a cat' --hires 96x0 --hires-upscaler sharp",
    "second pass of its own": f"'a cat' {HIRES} --hires-model other --hires-prompt 'a dog <lora:lora:0.5>' "
    "--hires-negative bad --hires-cfg 3 --hires-sampler 'Euler a'",
    "refiner": "'a cat' -m wide --refiner last --refiner-switch 0.5",
    "refiner in both passes": "'a cat' -m wide --refiner last --refiner-switch 0.5 --refiner-pass 'both passes' "
    f"{HIRES} --hires-upscaler Nearest",
    "pattern": "'a cat' --tiling",
    "SD upscale": "'a cat' --init old.png --denoise 0.4 --sd-upscale 1.5 --tile-overlap 16 --upscaler sharp",
    "last of a loop": "'a cat' --init old.png --denoise 0.8 --loopback 2 --loopback-denoise 0.4",
    "ControlNet": "'a cat' --control 'canny(50,150):net=old.png;weight=0.8;end=0.9;mode=prompt'",
    "LoRA in the prompt": "'a cat <lora:lora:0.7:0.4>'",
    "LoRA block by block": "'a cat' --lora lora=0.8@OUTALL",
    "some ranks of a LoRA": "'a cat <lora:lora:1:1:1>'",
    **{name: f"'a cat' --lora {name}=0.8" for name in ("lora", "locon", *ALGORITHMS)},
    "several adapters": "'a cat <lora:loha:0.5>' --lora lora=0.8,0.3 --lora dora",
    "hypernetwork": "'a cat <hypernet:hyper:0.6>'",
    "embedding": "'a cat, (easycat:1.2)' -n easycat",
    "style": "'a cat' --style ink",
    "wildcards": "'a __colour__ {cat|dog}' -n '{mist|fog}'",
    "second of a list": "'' --prompts prompts.txt",
}  # fmt: skip
"""What it is called -> what is typed behind `modelhub generate`; the last picture is drawn again."""

Draw = Callable[[str], Path]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = Workspace(tmp_path_factory.mktemp("everything"))
    write_everything(workspace)
    return workspace.root


@pytest.fixture(autouse=True)
def _at_home(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELHUB_HOME", str(root))
    monkeypatch.chdir(root)


@pytest.fixture(scope="module")
def draw(tmp_path_factory: pytest.TempPathFactory) -> Draw:
    """The last picture of a command line, in a folder of its own; each is drawn once."""

    @cache
    def drawn(said: str) -> Path:
        out = tmp_path_factory.mktemp("drawn")
        assert main(["generate", *shlex.split(said), "--out", str(out)]) == 0
        return max(out.iterdir())

    return drawn


def pixels(path: Path) -> str:
    """Their SHA-256, and the size."""
    with Image.open(path) as image:
        return f"{image.size} {hashlib.sha256(image.tobytes()).hexdigest()}"


def first(draw: Draw, kind: str) -> Path:
    return draw(f"{QUICK} {KINDS[kind]}")


def again(draw: Draw, path: Path) -> Path:
    return draw(f"--quiet --device cpu --from {shlex.quote(str(path))}")


def text_alone(path: Path, to: Path) -> Path:
    """The picture without our request: it is left with what any tool reads."""
    texts = PngImagePlugin.PngInfo()
    with Image.open(path) as image:
        texts.add_text("parameters", image.info["parameters"])
        image.save(to, pnginfo=texts)
    return to


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_drawn_again_from_its_request(draw: Draw, kind: str) -> None:
    path = first(draw, kind)

    assert pixels(again(draw, path)) == pixels(path)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ALGORITHMS])
def test_a_picture_is_drawn_again_from_its_text_alone(draw: Draw, kind: str, tmp_path: Path) -> None:
    path = first(draw, kind)

    assert pixels(again(draw, text_alone(path, tmp_path / "told.png"))) == pixels(path)


def test_what_is_said_of_each_kind_is_to_be_seen(draw: Draw) -> None:
    """Or the other tests would prove nothing of it."""
    alike: dict[str, list[str]] = {}
    for kind in KINDS:
        alike.setdefault(pixels(first(draw, kind)), []).append(kind)

    assert [kinds for kinds in alike.values() if len(kinds) > 1] == []


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
def test_a_picture_in_a_format_that_loses_is_drawn_again_without_loss(draw: Draw, form: str) -> None:
    path = draw(f"{QUICK} {KINDS['img2img']} --format {form}")

    assert pixels(path) != pixels(first(draw, "img2img"))
    assert pixels(again(draw, path)) == pixels(first(draw, "img2img"))


def test_one_of_a_batch_is_drawn_again_alone(draw: Draw) -> None:
    """Its noise is the same; sums of a batch may end in another last bit."""
    path = draw(f"{QUICK} 'a cat' --batch 3")

    one, other = (np.asarray(Image.open(picture), int) for picture in (path, again(draw, path)))
    assert np.abs(one - other).max() <= 1
