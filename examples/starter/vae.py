"""Trains the VAE (SD1 layout, f=8, four channels), then scales its latents so that SD1's 0.18215 is right for it.

python -m examples.starter.vae --pictures pictures.npz --work DIR [--steps N]
"""

import argparse
import math
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from examples.starter.data import load
from examples.starter.files import written_whole
from examples.starter.shares import Shares

CONFIG: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (16, 32, 64, 96),
    "layers_per_block": 1,
    "latent_channels": 4,
    "norm_num_groups": 8,
    "scaling_factor": 0.18215,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the VAE's weights."""

    steps: int = 3600
    """Optimizer steps in all."""
    whole_from: float = 0.75
    """Share of the steps after which whole pictures replace crops: group norm sees other statistics in a crop."""
    crop: int = 64
    """Side of a training crop, px."""
    batch: int = 12
    """Crops a step."""
    whole_batch: int = 4
    """Whole pictures a step."""
    peak_rate: float = 1.5e-3
    """Learning rate after the warm-up; it falls to zero along a half cosine."""
    kl_weight: float = 1e-6
    """On the KL summed over a picture: enough to keep the latents bounded, too little to blur."""
    seed: int = 0


def learning_rate(step: int, settings: Settings, warmup: int = 100) -> float:
    """Rate at a step: linear warm-up, then half a cosine."""
    if step < warmup:
        return settings.peak_rate * (step + 1) / warmup
    return settings.peak_rate * 0.5 * (1 + math.cos(math.pi * step / settings.steps))


def batch_at(step: int, pixels: Tensor, settings: Settings) -> Tensor:
    """The crops of a step, [B, 3, h, w] in -1..1: a function of the step, so that a resumed run sees the same ones."""
    random = torch.Generator().manual_seed(settings.seed + step)
    side = pixels.shape[-1]
    crop, count = settings.crop, settings.batch
    if step >= settings.whole_from * settings.steps:
        crop, count = side, settings.whole_batch
    rows = torch.randint(len(pixels), (count,), generator=random).tolist()
    corners = torch.randint(side - crop + 1, (count, 2), generator=random).tolist()
    crops = [pixels[row, :, y : y + crop, x : x + crop] for row, (y, x) in zip(rows, corners, strict=True)]
    return torch.stack(crops).float() / 127.5 - 1


def loss_of(vae: AutoencoderKL, kl_weight: float, pictures: Tensor) -> Tensor:
    """L1 + L1 of the image gradients (edges) + MSE (flat areas), and a little KL."""
    posterior = vae.encode(pictures).latent_dist
    error = vae.decode(posterior.sample()).sample - pictures
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    return error.abs().mean() + edges + error.square().mean() + kl_weight * posterior.kl().mean()


@torch.no_grad()
def encode(vae: AutoencoderKL, pixels: Tensor, batch: int = 16) -> Tensor:
    """Posterior means of whole pictures, [N, 4, h/8, w/8], not scaled."""
    means = [vae.encode(part.float() / 127.5 - 1).latent_dist.mean for part in pixels.split(batch)]
    return torch.cat(means)


@torch.no_grad()
def psnr(vae: AutoencoderKL, pixels: Tensor, batch: int = 16) -> float:
    """Mean over whole pictures of the PSNR of their reconstruction, dB."""
    values = []
    for part in pixels.split(batch):
        wanted = part.float() / 255
        got = (vae.decode(encode(vae, part)).sample / 2 + 0.5).clamp(0, 1)
        values.append(-10 * (got - wanted).square().mean(dim=(1, 2, 3)).log10())
    return torch.cat(values).mean().item()


@torch.no_grad()
def normalize(vae: AutoencoderKL, pixels: Tensor) -> None:
    """Fold the latents' mean and deviation into the two 1x1 convolutions around them; reconstructions stay the same.

    Afterwards latent * 0.18215 has zero mean and unit deviation in each channel, as UNets of this family expect.
    """
    latents = encode(vae, pixels)
    mean = latents.mean(dim=(0, 2, 3))
    gain = 1 / (latents.std(dim=(0, 2, 3)) * vae.config.scaling_factor)
    into, out_of = vae.quant_conv, vae.post_quant_conv
    channels = len(mean)
    # quant_conv gives the means, then the log-variances: var(gain * z) = gain² var(z).
    into.weight[:channels] *= gain[:, None, None, None]
    into.bias[:channels] = (into.bias[:channels] - mean) * gain
    into.bias[channels:] += 2 * gain.log()
    # The decoder reads z = z' / gain + mean.
    out_of.bias += out_of.weight[:, :, 0, 0] @ mean
    out_of.weight /= gain[None, :, None, None]


def train(pixels: Tensor, work: Path, settings: Settings) -> AutoencoderKL:
    """Train from the last checkpoint in `work`, or from the start."""
    torch.manual_seed(settings.seed)
    vae = AutoencoderKL(**CONFIG).to(pixels.device)
    parameters = list(vae.parameters())
    shares = Shares(pixels.device.type)
    optimizer = torch.optim.AdamW(parameters, betas=(0.9, 0.99), weight_decay=1e-4)
    checkpoint = work / "vae-checkpoint.pt"
    first = 0
    if checkpoint.exists():
        held = torch.load(checkpoint, weights_only=True, map_location=pixels.device)
        vae.load_state_dict(held["vae"])
        optimizer.load_state_dict(held["optimizer"])
        first = held["step"]
    began = time.monotonic()
    for step in range(first, settings.steps):
        optimizer.param_groups[0]["lr"] = learning_rate(step, settings)
        crops = batch_at(step, pixels, settings)
        loss = shares.backward(partial(loss_of, vae, settings.kl_weight), [crops], parameters)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        done = step + 1
        if done % 100 == 0:
            pace = (time.monotonic() - began) / (done - first)
            print(f"step {done}/{settings.steps}  loss {loss:.4f}  {pace:.3f} s/step", flush=True)
        if done % 500 == 0 or done == settings.steps:
            print(f"step {done}  {psnr(vae, pixels[::25]):.2f} dB on 1 picture of 25", flush=True)
            with written_whole(checkpoint) as part:
                torch.save({"vae": vae.state_dict(), "optimizer": optimizer.state_dict(), "step": done}, part)
    return vae


def main() -> None:
    """Train, normalize the latents, and write `vae.pt` with the latents of all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and results")
    parser.add_argument("--steps", type=int, default=Settings().steps)
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pixels = torch.from_numpy(load(options.pictures).pixels).permute(0, 3, 1, 2).to(device)
    vae = train(pixels, options.work, Settings(steps=options.steps)).eval()
    before = psnr(vae, pixels)
    normalize(vae, pixels)
    latents = encode(vae, pixels) * vae.config.scaling_factor
    print(f"{before:.2f} dB before and {psnr(vae, pixels):.2f} dB after the latents were scaled")
    print(f"latents: mean {latents.mean(dim=(0, 2, 3)).tolist()}, deviation {latents.std(dim=(0, 2, 3)).tolist()}")
    with written_whole(options.work / "vae.pt") as part:
        torch.save({"vae": vae.state_dict(), "latents": latents}, part)


if __name__ == "__main__":
    main()
