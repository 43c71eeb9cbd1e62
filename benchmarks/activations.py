"""Numbers that are alive at once in a forward pass: what `inference.memory` reckons with.

Runs on the meta device: only the life of each tensor is followed, nothing is computed. Attention is taken to keep no
table of scores, as the kernels that torch takes for it do not.
"""

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as functional
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

__all__ = ["alive", "main"]

_SD1 = {"block_out_channels": (320, 640, 1280, 1280), "cross_attention_dim": 768, "attention_head_dim": 8}
_SDXL = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "transformer_layers_per_block": [1, 2, 10],
    "attention_head_dim": [5, 10, 20],
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
_VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
}


class _Living(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the numbers of all storages that are alive, but for those known before."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._now = 0
        self.most = 0
        self._seen = {one.untyped_storage()._cdata for one in known}

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = op(*args, **(kwargs or {}))
        for tensor in tree_flatten(made)[0]:
            if isinstance(tensor, Tensor) and (key := tensor.untyped_storage()._cdata) not in self._seen:
                count = tensor.untyped_storage().nbytes() // tensor.itemsize
                self._seen.add(key)
                self._now += count
                self.most = max(self.most, self._now)
                weakref.finalize(tensor.untyped_storage(), self._gone, key, count)
        return made

    def _gone(self, key: int, count: int) -> None:
        self._seen.discard(key)
        self._now -= count


def alive(build: Callable[[], nn.Module], call: Callable[[nn.Module], object]) -> int:
    """Most numbers alive at once beside the weights."""
    with torch.device("meta"):
        module = build().eval().requires_grad_(False)
        living = _Living([*module.parameters(), *module.buffers()])
        attention = functional.scaled_dot_product_attention
        functional.scaled_dot_product_attention = lambda q, *_, **__: torch.empty_like(q)
        try:
            with torch.no_grad(), living:
                call(module)
        finally:
            functional.scaled_dot_product_attention = attention
    return living.most


def _unet(config: dict[str, Any], side: int) -> int:
    def call(module: Any) -> None:
        added = {"text_embeds": torch.empty(2, 1280), "time_ids": torch.empty(2, 6)}
        said = torch.empty(2, 77, config["cross_attention_dim"])
        beside = {"added_cond_kwargs": added} if "addition_embed_type" in config else {}
        module(torch.empty(2, 4, side, side), torch.empty(2), said, **beside)

    return alive(lambda: UNet2DConditionModel(**config), call)


def main() -> None:
    """A line a network: numbers alive, and that over rows, pixels and channels."""
    for name, config in (("sd1", _SD1), ("sdxl", _SDXL)):
        for side in (64, 128):
            count = _unet(config, side)
            print(f"{name:5} UNet, 2 rows of {side}x{side}: {count / 1e6:7.1f} M, {count / (2 * side**2 * 320):.2f}")
    for side in (64, 128):
        latents = (1, 4, side, side)
        count = alive(lambda: AutoencoderKL(**_VAE), lambda vae: vae.decode(torch.empty(latents)))  # type: ignore[operator]  # noqa: B023
        print(f"VAE, decoding {8 * side}x{8 * side} px: {count / 1e6:7.1f} M, {count / ((8 * side) ** 2 * 128):.2f}")


if __name__ == "__main__":
    main()
