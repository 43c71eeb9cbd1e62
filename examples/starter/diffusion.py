"""Trains the UNet and the text encoder together on the VAE's latents: epsilon objective, SD1's noise schedule.

python -m examples.starter.diffusion --pictures pictures.npz --work DIR [--steps N]
"""

import argparse
import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from examples.starter.data import load
from examples.starter.files import written_whole
from examples.starter.shares import Shares
from inference.prompt.tokenizer import BOS, EOS, tokenize

TEXT_WIDTH = 128
"""The vocabulary has 49,408 rows of this width: 6.3M of the 15.7M parameters in all."""

UNET_CONFIG: dict[str, Any] = {
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "block_out_channels": (64, 128, 160),
    "layers_per_block": 1,
    "cross_attention_dim": TEXT_WIDTH,
    "attention_head_dim": 8,  # diffusers' name for what is the number of heads in SD1
    "norm_num_groups": 32,
}
TEXT_CONFIG: dict[str, Any] = {
    "hidden_size": TEXT_WIDTH,
    "intermediate_size": 512,
    "projection_dim": TEXT_WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "hidden_act": "quick_gelu",
    "bos_token_id": BOS,
    "eos_token_id": EOS,
    "pad_token_id": EOS,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the weights of the UNet and the text encoder."""

    steps: int = 6900
    """Optimizer steps in all."""
    batch: int = 16
    """Twice the steps of 32 for less than twice the time: a smaller batch stays in a CPU's cache."""
    peak_rate: float = 8e-4
    """Learning rate after the warm-up."""
    last_rate: float = 5e-5
    """Learning rate that the half cosine ends at."""
    warmup: int = 200
    """Steps of linear warm-up."""
    weight_decay: float = 0.01
    ema_decay: float = 0.999
    snr_cap: float = 5.0
    """Gamma of min-SNR weighting."""
    no_caption: float = 0.1
    """Share of samples whose caption is left empty, so that guidance has something to lead away from."""
    seed: int = 1


class Painter(nn.Module):
    """The two networks that learn together.

    While they learn, the text encoder has rows for the tokens of the captions only: the other 49,000 would never
    move, yet cost as much in every optimizer step as the whole UNet. `export.py` puts them back.
    """

    def __init__(self, vocabulary: Tensor, side: int) -> None:
        super().__init__()
        self.register_buffer("vocabulary", vocabulary)
        """The token of each row, rising."""
        self.unet = UNet2DConditionModel(**UNET_CONFIG, sample_size=side)
        rows = len(vocabulary)
        marks = {"bos_token_id": rows - 2, "eos_token_id": rows - 1, "pad_token_id": rows - 1}
        self.text_encoder = CLIPTextModel(CLIPTextConfig(**TEXT_CONFIG | marks, vocab_size=rows))

    def encode(self, tokens: Tensor) -> Tensor:
        """What the UNet attends to, [B, 77, width]; every one of `tokens` [B, 77] must be in the vocabulary."""
        return self.text_encoder(torch.searchsorted(self.vocabulary, tokens)).last_hidden_state

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """Predicted noise, like `noisy`: latents [B, 4, h, w]; `times` [B] of 0..999; `tokens` [B, 77]."""
        return self.unet(noisy, times, self.encode(tokens)).sample


def token_ids(prompts: Sequence[str], length: int = 77) -> Tensor:
    """The mark of beginning, the prompt's tokens, and marks of the end up to `length`, [N, length]."""
    rows = [[BOS, *tokens[: length - 2]] for tokens in tokenize(prompts)]
    return torch.tensor([row + [EOS] * (length - len(row)) for row in rows])


def signal_levels() -> Tensor:
    """SD1's cumulated alphas, [1000]: the betas' roots rise linearly from 0.00085 to 0.012 (`scaled_linear`)."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return (1 - betas).cumprod(0).float()


def learning_rate(step: int, settings: Settings) -> float:
    """Rate at a step: linear warm-up, then half a cosine down to `last_rate`."""
    if step < settings.warmup:
        return settings.peak_rate * (step + 1) / settings.warmup
    done = (step - settings.warmup) / (settings.steps - settings.warmup)
    return settings.last_rate + (settings.peak_rate - settings.last_rate) * 0.5 * (1 + math.cos(math.pi * done))


def batch_at(
    step: int, latents: Tensor, tokens: Tensor, empty: Tensor, levels: Tensor, settings: Settings
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Noisy latents, their times, captions, the noise and the weight of each: a function of the step, for resuming."""
    random = torch.Generator(latents.device).manual_seed(settings.seed * 1_000_003 + step)
    place: dict[str, Any] = {"generator": random, "device": latents.device}
    rows = torch.randint(len(latents), (settings.batch,), **place)
    weight = loss_weight(levels, settings.snr_cap)
    # Half of the weighting is done by drawing the heavier times more often, which wastes fewer samples. One time comes
    # from each of `batch` equal slices: the same expectation as independent times, and less variance.
    odds = weight.sqrt() / weight.sqrt().sum()
    slices = torch.arange(settings.batch, device=latents.device) + torch.rand(settings.batch, **place)
    times = torch.searchsorted(odds.cumsum(0), slices / settings.batch).clamp(max=len(levels) - 1)
    clean = latents[rows]
    noise = torch.randn(clean.shape, **place)
    level = levels[times].view(-1, 1, 1, 1)
    unnamed = torch.rand(settings.batch, **place) < settings.no_caption
    captions = torch.where(unnamed[:, None], empty, tokens[rows])
    rest = weight[times] / (odds[times] * weight.sum())
    return level.sqrt() * clean + (1 - level).sqrt() * noise, times, captions, noise, rest


def loss_weight(levels: Tensor, snr_cap: float) -> Tensor:
    """Weight of the squared error in the noise at each time, [1000].

    Where noise is weak, min-SNR (Hang et al. 2023, eq. 4). Where it prevails, sigma up to 4: there only the caption
    tells the picture, and an error in the noise counts sigma² times in the picture, which equal weights all but ignore.
    """
    snr = levels / (1 - levels)
    return (snr_cap / snr).clamp(max=1) * snr.rsqrt().clamp(1, 4)


def loss_of(painter: Painter, noisy: Tensor, times: Tensor, captions: Tensor, noise: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean square of the error in the predicted noise."""
    error = painter(noisy, times, captions) - noise
    return (weight * error.square().mean(dim=(1, 2, 3))).mean()


@torch.no_grad()
def follow(ema: nn.Module, module: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the present ones."""
    torch._foreach_lerp_(list(ema.parameters()), list(module.parameters()), 1 - decay)


def train(latents: Tensor, tokens: Tensor, empty: Tensor, work: Path, settings: Settings) -> Painter:
    """Train from the last checkpoint in `work`, or from the start; gives the averaged networks."""
    torch.manual_seed(settings.seed)
    painter = Painter(torch.cat([tokens, empty]).unique(), latents.shape[-1]).to(latents.device)
    ema = copy.deepcopy(painter).requires_grad_(False)
    parameters = list(painter.parameters())
    optimizer = torch.optim.AdamW(parameters, betas=(0.9, 0.99), weight_decay=settings.weight_decay, fused=True)
    shares = Shares(latents.device.type)
    checkpoint = work / "diffusion-checkpoint.pt"
    first = 0
    if checkpoint.exists():
        held = torch.load(checkpoint, weights_only=True, map_location=latents.device)
        painter.load_state_dict(held["painter"])
        ema.load_state_dict(held["ema"])
        optimizer.load_state_dict(held["optimizer"])
        first = held["step"]
    levels = signal_levels().to(latents.device)
    losses: list[float] = []
    began = time.monotonic()
    for step in range(first, settings.steps):
        optimizer.param_groups[0]["lr"] = learning_rate(step, settings)
        batch = batch_at(step, latents, tokens, empty, levels, settings)
        losses.append(shares.backward(partial(loss_of, painter), batch, parameters))
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        done = step + 1
        # A young average forgets its random start sooner.
        follow(ema, painter, min(settings.ema_decay, done / (done + 10)))
        if done % 50 == 0:
            pace = (time.monotonic() - began) / (done - first)
            print(f"step {done}/{settings.steps}  loss {sum(losses) / len(losses):.4f}  {pace:.3f} s/step", flush=True)
            losses.clear()
        if done % 200 == 0 or done == settings.steps:
            with written_whole(checkpoint) as part:
                state = {"painter": painter.state_dict(), "ema": ema.state_dict(), "optimizer": optimizer.state_dict()}
                torch.save({**state, "step": done}, part)
    return ema


def main() -> None:
    """Train; the averaged networks are in `diffusion-checkpoint.pt`, which `export.py` reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and results")
    parser.add_argument("--steps", type=int, default=Settings().steps)
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokens = token_ids(load(options.pictures).captions).to(device)
    empty = token_ids([""]).to(device)
    latents = torch.load(options.work / "vae.pt", weights_only=True, map_location=device)["latents"]
    train(latents, tokens, empty, options.work, Settings(steps=options.steps))


if __name__ == "__main__":
    main()
