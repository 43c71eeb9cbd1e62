"""What peft and diffusers themselves write for their models, built without memory, is identified."""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import diffusers
import peft
import pytest
import torch

from tests.architectures import class_of
from tests.cases import Case, facts_of
from tests.tables import Shapes

ATTENTION = ["to_q", "to_k", "to_v"]
ONE_OF_EACH = {"num_layers": 2, "num_single_layers": 2}
KLEIN = {"num_attention_heads": 24, "joint_attention_dim": 7680, **ONE_OF_EACH}
MEDIUM = {"num_layers": 2, "num_attention_heads": 24, "caption_projection_dim": 1536, "pooled_projection_dim": 2048}
LARGE = MEDIUM | {"num_attention_heads": 38, "caption_projection_dim": 2432}
HIDREAM = {"num_attention_heads": 20, "attention_head_dim": 128, "caption_channels": [4096, 4096], "llama_layers": [0]}
HIDREAM |= {
    "text_emb_dim": 2048,
    "patch_size": 2,
    "in_channels": 16,
    "out_channels": 16,
    "axes_dims_rope": (64, 32, 32),
}
HIDREAM |= {"num_layers": 1, "num_single_layers": 1, "num_routed_experts": 2, "num_activated_experts": 1}
HIDREAM |= {"max_resolution": (128, 128)}
ANIMA = {"num_layers": 2, "num_attention_heads": 16, "text_embed_dim": 1024, "adaln_lora_dim": 256}
DIT = {"num_layers": 2, "hidden_size": 1408, "num_attention_heads": 16, "attention_head_dim": 88, "in_channels": 4}
DIT |= {"patch_size": 2, "sample_size": 128}
WAN = {"num_layers": 2, "num_attention_heads": 12, "ffn_dim": 8960}
TRANSFORMERS = {
    "flux1": ("FluxTransformer2DModel", ONE_OF_EACH),
    "flux2, dev": ("Flux2Transformer2DModel", ONE_OF_EACH),
    "flux2, klein": ("Flux2Transformer2DModel", KLEIN),
    "chroma": ("ChromaTransformer2DModel", ONE_OF_EACH),
    "sd3, medium": ("SD3Transformer2DModel", MEDIUM),
    "sd3, large": ("SD3Transformer2DModel", LARGE),
    "qwen-image": ("QwenImageTransformer2DModel", {"num_layers": 2}),
    "z-image": ("ZImageTransformer2DModel", {"n_layers": 2}),
    "lumina2": ("Lumina2Transformer2DModel", {"num_layers": 2}),
    "anima": ("CosmosTransformer3DModel", ANIMA),
    "krea-2": ("Krea2Transformer2DModel", {"num_layers": 2}),
    "wan, 14b": ("WanTransformer3DModel", {"num_layers": 2}),
    "wan, 1.3b": ("WanTransformer3DModel", WAN),
    "ltx": ("LTXVideoTransformer3DModel", {"num_layers": 2}),
    "pixart": ("PixArtTransformer2DModel", {"num_layers": 2}),
    "sana": ("SanaTransformer2DModel", {"num_layers": 2}),
    "auraflow": ("AuraFlowTransformer2DModel", {"num_mmdit_layers": 2, "num_single_dit_layers": 2}),
    "hidream": ("HiDreamImageTransformer2DModel", HIDREAM),
    "hunyuan-dit": ("HunyuanDiT2DModel", DIT),
}
"""Family (and size) -> the model's class in its real widths, with fewer blocks."""
UNETS = {"sd1": 768, "sd2": 1024, "sdxl": 2048}
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "lora": ("LoraConfig", {}),
    "dora": ("LoraConfig", {"use_dora": True}),
    "loha": ("LoHaConfig", {}),
    "lokr": ("LoKrConfig", {}),
    "oft": ("OFTConfig", {"r": 8, "oft_block_size": 0}),
    "ia3": ("IA3Config", {"feedforward_modules": []}),
}


def shapes_of(model: Any) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in peft.get_peft_model_state_dict(model).items()}


def on_meta(make: Callable[[], Any]) -> Any:
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


def unet(context: int) -> Any:
    blocks = {"down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"), "block_out_channels": (320, 640)}
    blocks |= {"up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D")}
    return diffusers.UNet2DConditionModel(cross_attention_dim=context, **blocks)


@cache
def transformer_lora(which: str) -> Case:
    """All linear layers of a transformer, as `save_lora_weights` names them."""
    name, sizes = TRANSFORMERS[which]
    kind = class_of(name)
    model = on_meta(lambda: kind(**sizes))
    linear = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]
    on_meta(lambda: peft.inject_adapter_in_model(peft.LoraConfig(r=4, target_modules=linear), model))
    return Case({f"transformer.{key}": shape for key, shape in shapes_of(model).items()}, {})


@pytest.mark.parametrize("which", TRANSFORMERS)
def test_a_transformer_s_lora_is_of_its_family(which: str) -> None:
    facts = facts_of(transformer_lora(which))
    assert (facts.kind, facts.family) == ("lora", which.partition(",")[0])
    assert (facts.format, facts.algorithm, facts.rank) == ("safetensors/peft", "lora", 4)


@pytest.mark.parametrize("family", UNETS)
@pytest.mark.parametrize("method", METHODS)
def test_what_peft_trains_on_a_unet_is_identified(method: str, family: str) -> None:
    config, options = METHODS[method]
    chosen = getattr(peft, config)(target_modules=ATTENTION, **options)
    model = on_meta(lambda: peft.get_peft_model(unet(UNETS[family]), chosen))
    facts = facts_of(Case(shapes_of(model), {}))
    assert (facts.kind, facts.algorithm, facts.format) == ("lora", method, "safetensors/peft")
    assert facts.family == (None if method in ("oft", "ia3") else family)
