"""Draws 64 captions with the weights as they are now and prints how many are recognised, for several guidance scales.

python -m examples.starter.measure --pictures pictures.npz --work DIR [--cfg 2 3 4 5] [--grid FILE]
"""

import argparse
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from examples.starter.data import load
from examples.starter.diffusion import Painter, signal_levels, token_ids
from examples.starter.gallery import SEED, choose, rank, thumbnails, write_sheet
from examples.starter.vae import CONFIG as VAE_CONFIG


def time_grid(levels: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Times from 999 to 0 in even steps, and their sigmas ending in 0 (webui's "Uniform")."""
    times = torch.linspace(len(levels) - 1, 0, steps)
    sigmas = ((1 - levels) / levels).sqrt()
    low, high = times.floor().long(), times.ceil().long()
    share = times - low
    between = ((1 - share) * sigmas[low].log() + share * sigmas[high].log()).exp()
    return times, torch.cat([between, torch.zeros(1)])


def dpmpp_2m(denoise: Callable[[Tensor, int], Tensor], x: Tensor, sigmas: Tensor) -> Tensor:
    """DPM-Solver++(2M) (Lu et al. 2022, algorithm 2) over a falling list of sigmas that ends in 0."""
    before = None
    for step, (sigma, following) in enumerate(pairwise(sigmas)):
        clean = denoise(x, step)
        if following == 0:
            return clean
        stride = (sigma / following).log()
        direction = clean
        if before is not None:
            ratio = (sigmas[step - 1] / sigma).log() / stride
            direction = (1 + 1 / (2 * ratio)) * clean - before / (2 * ratio)
        x = following / sigma * x - (-stride).expm1() * direction
        before = clean
    return x


@torch.no_grad()
def draw(
    painter: Painter, vae: AutoencoderKL, tokens: Tensor, empty: Tensor, cfg: float, steps: int = 20
) -> NDArray[np.uint8]:
    """One picture a caption, [N, h, w, 3]; the noise of each is a function of its place alone."""
    levels = signal_levels()
    times, sigmas = time_grid(levels, steps)
    contexts = painter.encode(torch.cat([empty.expand_as(tokens), tokens]))
    side = painter.unet.config.sample_size

    def denoise(x: Tensor, step: int) -> Tensor:
        scaled = (x / (sigmas[step] ** 2 + 1).sqrt()).repeat(2, 1, 1, 1)
        without, with_caption = painter.unet(scaled, times[step], contexts).sample.chunk(2)
        return x - sigmas[step] * (without + cfg * (with_caption - without))

    noise = [torch.randn(4, side, side, generator=torch.Generator().manual_seed(SEED + i)) for i in range(len(tokens))]
    latents = dpmpp_2m(denoise, torch.stack(noise) * (sigmas[0] ** 2 + 1).sqrt(), sigmas)
    pictures = vae.decode(latents / vae.config.scaling_factor).sample
    return ((pictures / 2 + 0.5).clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).numpy()


def main() -> None:
    """Print the shares, and write the gallery and a grid where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="where the checkpoints are")
    parser.add_argument("--cfg", type=float, nargs="+", default=[4.0])
    parser.add_argument("--grid", type=Path, help="PNG of the 64 pictures, each beside its own icon")
    parser.add_argument("--gallery", type=Path, help="PNG of the gallery; its captions go beside it as JSON")
    options = parser.parse_args()
    pictures = load(options.pictures)
    rows, drawn = choose(len(pictures.captions))
    gallery = thumbnails(pictures.pixels[rows])
    captions = [pictures.captions[row] for row in rows]
    if options.gallery:
        write_sheet(gallery, captions, drawn, options.gallery)
    vae = AutoencoderKL(**VAE_CONFIG).eval()
    encoded = torch.load(options.work / "vae.pt", weights_only=True, map_location="cpu")
    vae.load_state_dict(encoded["vae"])
    held = torch.load(options.work / "diffusion-checkpoint.pt", weights_only=True, map_location="cpu")
    painter = Painter(held["ema"]["vocabulary"], encoded["latents"].shape[-1]).eval()
    painter.load_state_dict(held["ema"])
    tokens = token_ids([captions[place] for place in drawn])
    for cfg in options.cfg:
        images = draw(painter, vae, tokens, token_ids([""]), cfg)
        ranks = np.array([rank(image, gallery, own) for image, own in zip(images, drawn, strict=True)])
        nearest, among_five = (ranks == 0).mean(), (ranks < 5).mean()
        print(f"step {held['step']}  cfg {cfg:g}  nearest {nearest:.1%}  among 5 {among_five:.1%}", flush=True)
    if options.grid:
        own = pictures.pixels[[rows[place] for place in drawn]]
        pairs = np.concatenate([images, own], axis=2).reshape(8, 8, *images.shape[1:2], -1, 3)
        Image.fromarray(np.concatenate(np.concatenate(pairs, axis=1), axis=1)).save(options.grid)


if __name__ == "__main__":
    main()
