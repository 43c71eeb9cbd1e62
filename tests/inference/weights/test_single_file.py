"""Names and sizes: which tensor of a file is which parameter, for the real Stable Diffusion 1.5 and for tiny models."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from inference.weights.export import checkpoint_tensors
from inference.weights.load import build
from inference.weights.single_file import Part, Weights, checkpoint_parts, part_in
from inference.weights.text_encoder import canonical
from modelhub.errors import BrokenFile
from modelhub.families import family
from modelhub.headers import TensorEntry, TensorTable
from tests import tables, tiny

SD1 = family("sd1")
PATH = Path("model.safetensors")


def table_of(tensors: Mapping[str, Tensor], **metadata: str) -> TensorTable:
    return TensorTable({name: TensorEntry("F32", tuple(one.shape), (0, 0)) for name, one in tensors.items()}, metadata)


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(one.shape) for name, one in module.state_dict().items()}


@pytest.fixture(scope="module")
def real() -> Mapping[str, nn.Module]:
    """Stable Diffusion 1.5 as its published configurations describe it, without memory."""
    with torch.device("meta"):
        return {
            "unet": UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8, sample_size=64),
            "vae": AutoencoderKL(
                block_out_channels=(128, 256, 512, 512),
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                layers_per_block=2,
            ),
            "text_encoder": CLIPTextModel(
                CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_attention_heads=12, num_hidden_layers=12)
            ),
        }


@pytest.fixture(scope="module")
def real_tensors(real: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return checkpoint_tensors(**real)


@pytest.fixture(scope="module")
def real_parts(real_tensors: Mapping[str, Tensor]) -> Mapping[str, Part]:
    return checkpoint_parts(PATH, table_of(real_tensors), SD1)


@pytest.mark.parametrize(
    ("prefix", "count"), [("model.diffusion_model.", 686), ("first_stage_model.", 248), ("cond_stage_model.", 196)]
)
def test_stable_diffusion_15_has_the_tensors_that_its_file_has(
    real_tensors: Mapping[str, Tensor], prefix: str, count: int
) -> None:
    assert sum(name.startswith(prefix) for name in real_tensors) == count


def test_stable_diffusion_15_has_each_tensor_under_its_published_name_and_in_its_shape(
    real_tensors: Mapping[str, Tensor],
) -> None:
    published = tables.ldm_checkpoint()
    del published["alphas_cumprod"]

    assert {name: tuple(tensor.shape) for name, tensor in real_tensors.items()} == published


@pytest.mark.parametrize("role", ["unet", "vae", "text_encoder"])
def test_the_real_table_describes_the_real_modules(
    real: Mapping[str, nn.Module], real_parts: Mapping[str, Part], role: str
) -> None:
    assert shapes(build(real_parts[role])) == shapes(real[role])


def test_the_real_table_gives_the_published_configurations(
    real: Mapping[str, nn.Module], real_parts: Mapping[str, Part]
) -> None:
    unet, vae, text_encoder = (build(real_parts[role]).config for role in ("unet", "vae", "text_encoder"))

    assert _differences(unet, real["unet"].config) <= {"sample_size", "transformer_layers_per_block"}
    assert _differences(vae, real["vae"].config) <= {"sample_size"}
    published = {"hidden_act": "quick_gelu", "num_attention_heads": 12, "layer_norm_eps": 1e-5, "vocab_size": 49408}
    assert published.items() <= text_encoder.to_dict().items()
    assert text_encoder.max_position_embeddings == 77


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> set[str]:
    def plain(value: Any) -> Any:
        return list(value) if isinstance(value, tuple) else value

    hidden = {name for name in ours if name.startswith("_")}
    return {name for name in {*ours} - hidden if plain(ours[name]) != plain(theirs.get(name))}


CONVERTERS: Mapping[str, Callable[[dict[str, Tensor], Any], dict[str, Tensor]]] = {
    "unet": convert_ldm_unet_checkpoint,
    "vae": convert_ldm_vae_checkpoint,
}


@pytest.mark.parametrize("role", CONVERTERS)
def test_every_name_means_what_diffusers_converter_makes_of_it(
    real: Mapping[str, nn.Module], real_tensors: dict[str, Tensor], real_parts: Mapping[str, Part], role: str
) -> None:
    """Each tensor is followed through their code by its identity."""
    theirs = CONVERTERS[role](dict(real_tensors), dict(real[role].config))

    mapped = {parameter: real_tensors[piece.tensor] for parameter, piece in real_parts[role].keys.items()}
    assert theirs.keys() == mapped.keys()
    for name, tensor in theirs.items():
        assert tensor.data_ptr() == mapped[name].data_ptr()
        assert tensor is mapped[name] or tensor.numel() == mapped[name].numel(), name


def test_the_text_encoders_names_are_canonical_whatever_transformers_calls_them(
    real: Mapping[str, nn.Module], real_parts: Mapping[str, Part]
) -> None:
    assert set(real_parts["text_encoder"].keys) == {canonical(name) for name in real["text_encoder"].state_dict()}


UNETS: Mapping[str, dict[str, Any]] = {
    "no attention at all but in the middle": {
        "down_block_types": ("DownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "UpBlock2D"),
    },
    "one level": {
        "block_out_channels": (8,),
        "down_block_types": ("CrossAttnDownBlock2D",),
        "up_block_types": ("CrossAttnUpBlock2D",),
    },
    "three levels of two layers": {
        "block_out_channels": (8, 12, 16),
        "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 2,
    },
    "levels of one width": {"block_out_channels": (8, 8)},
    "linear projections": {"use_linear_projection": True},
    "two transformer blocks": {"transformer_layers_per_block": [2, 1]},
    "inpainting": {"in_channels": 9},
}


@pytest.mark.parametrize("sizes", UNETS.values(), ids=UNETS)
def test_sizes_are_read_from_the_shapes_of_any_unet(sizes: dict[str, Any]) -> None:
    models = tiny.models(**sizes)
    tensors = checkpoint_tensors(**models)
    metadata = tiny.write_hints(tiny.HINTS)

    part = checkpoint_parts(PATH, table_of(tensors, **metadata), SD1)["unet"]

    assert shapes(build(part)) == shapes(models["unet"])
    theirs = convert_ldm_unet_checkpoint(dict(tensors), dict(models["unet"].config))
    for name, piece in part.keys.items():
        assert theirs[name] is tensors[piece.tensor], name


def test_novelais_layout_has_no_text_model_level(checkpoint: Path) -> None:
    tensors = checkpoint_tensors(**tiny.models())
    nai = {name.replace("transformer.text_model.", "transformer."): tensor for name, tensor in tensors.items()}

    usual, bare = (
        checkpoint_parts(PATH, table_of(one, **tiny.write_hints(tiny.HINTS)), SD1)["text_encoder"]
        for one in (tensors, nai)
    )

    assert bare.config == usual.config
    assert bare.shapes == usual.shapes
    assert all(nai[piece.tensor] is tensors[usual.keys[name].tensor] for name, piece in bare.keys.items())


def test_a_vae_in_diffusers_own_layout_is_read_as_it_is(models: Mapping[str, nn.Module]) -> None:
    state = models["vae"].state_dict()

    part = part_in(Weights(PATH, table_of(state, **tiny.write_hints(tiny.HINTS))), SD1, "vae")

    assert shapes(build(part)) == shapes(models["vae"])
    assert {name: piece.tensor for name, piece in part.keys.items()} == {name: name for name in state}


def test_a_vae_without_attention_in_its_middle_is_built_without() -> None:
    vae = AutoencoderKL(
        block_out_channels=(32, 32),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        mid_block_add_attention=False,
    )
    tensors = checkpoint_tensors(unet=tiny.models()["unet"], vae=vae, text_encoder=tiny.models()["text_encoder"])

    assert shapes(build(part_in(Weights(PATH, table_of(tensors)), SD1, "vae"))) == shapes(vae)


@pytest.mark.parametrize(
    ("prefix", "what"),
    [("model.diffusion_model.", "UNet"), ("first_stage_model.", "VAE"), ("cond_stage_model.", "text encoder")],
)
def test_a_file_that_lacks_a_part_is_named_with_what_it_lacks(prefix: str, what: str) -> None:
    tensors = {name: one for name, one in checkpoint_tensors(**tiny.models()).items() if not name.startswith(prefix)}

    with pytest.raises(BrokenFile, match=f"model.safetensors: it holds no {what} .*{prefix}"):
        checkpoint_parts(PATH, table_of(tensors), SD1)


def test_position_ids_and_foreign_tensors_are_passed_over() -> None:
    tensors = checkpoint_tensors(**tiny.models())
    position_ids = "cond_stage_model.transformer.text_model.embeddings.position_ids"
    extra = {position_ids: torch.arange(77)[None], "betas": torch.ones(1000), "model_ema.decay": torch.ones(())}

    metadata = tiny.write_hints(tiny.HINTS)
    assert checkpoint_parts(PATH, table_of({**tensors, **extra}, **metadata), SD1) == checkpoint_parts(
        PATH, table_of(tensors, **metadata), SD1
    )
