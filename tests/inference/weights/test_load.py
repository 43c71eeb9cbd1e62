"""The way of weights: modules -> file -> modules, to the bit."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors import safe_open
from torch import Tensor, nn

from inference.weights.export import checkpoint_tensors
from inference.weights.load import load_part
from inference.weights.save import save_tensors
from inference.weights.single_file import Part, Weights, checkpoint_parts, part_in
from modelhub.errors import BrokenFile
from modelhub.families import family
from modelhub.headers import read_table
from tests import tiny

CPU = torch.device("cpu")
SD1 = family("sd1")
ROLES = ["unet", "vae", "text_encoder"]


def load(part: Part, dtype: torch.dtype = torch.float32) -> nn.Module:
    return load_part(part, device=CPU, dtype=dtype)


def answer(role: str, module: nn.Module) -> Tensor:
    """What a module makes of a fixed input."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        if role == "text_encoder":
            return module(torch.arange(77)[None]).last_hidden_state
        if role == "vae":
            return module(torch.randn(1, 3, 16, 16, generator=generator), return_dict=False)[0]
        context = torch.randn(1, 77, tiny.WIDTH, generator=generator)
        return module(torch.randn(1, 4, 8, 8, generator=generator), torch.tensor([500.25]), context, return_dict=False)[
            0
        ]


def assert_same_answer(role: str, ours: nn.Module, theirs: nn.Module) -> None:
    """But for the last digits: kernels add in another order where weights lie otherwise in memory."""
    torch.testing.assert_close(answer(role, ours), answer(role, theirs), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("role", ROLES)
def test_a_file_gives_back_the_very_weights_and_answers(
    models: Mapping[str, nn.Module], parts: Mapping[str, Part], role: str
) -> None:
    loaded, original = load(parts[role]), models[role]

    state = loaded.state_dict()
    assert state.keys() == original.state_dict().keys()
    assert all(torch.equal(state[name], one) for name, one in original.state_dict().items())
    assert_same_answer(role, loaded, original)


@pytest.mark.parametrize("role", ROLES)
def test_a_loaded_module_only_answers(parts: Mapping[str, Part], role: str) -> None:
    module = load(parts[role])

    assert not module.training
    assert not any(parameter.requires_grad for parameter in module.parameters())
    assert not any(tensor.is_meta for tensor in (*module.parameters(), *module.buffers()))


def test_weights_are_converted_to_the_type_asked_for(
    models: Mapping[str, nn.Module], parts: Mapping[str, Part]
) -> None:
    half = load(parts["unet"], torch.float16).state_dict()

    assert all(torch.equal(half[name], one.half()) for name, one in models["unet"].state_dict().items())


def test_diffusers_reads_the_unet_and_the_vae_of_our_file(
    models: Mapping[str, nn.Module], checkpoint: Path, tmp_path: Path
) -> None:
    """The proof that the layout is the common one: their loader, their names."""
    for role, component in (("unet", UNet2DConditionModel), ("vae", AutoencoderKL)):
        models[role].save_config(tmp_path / role)
        theirs = component.from_single_file(
            str(checkpoint), config=str(tmp_path), subfolder=role, local_files_only=True
        )
        state = theirs.state_dict()
        assert all(torch.equal(state[name], one) for name, one in models[role].state_dict().items())
        assert_same_answer(role, theirs.eval(), models[role])


def test_a_vae_file_of_its_own_is_read_in_both_layouts(models: Mapping[str, nn.Module], tmp_path: Path) -> None:
    ldm = tiny.write_vae(tmp_path / "ldm.safetensors")
    native = tmp_path / "native.safetensors"
    save_tensors(native, models["vae"].state_dict(), tiny.write_hints(tiny.HINTS))

    for path in (ldm, native):
        assert_same_answer("vae", load(part_in(Weights(path, read_table(path)), SD1, "vae")), models["vae"])


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    tensors = checkpoint_tensors(**tiny.models())
    del tensors["model.diffusion_model.middle_block.2.out_layers.3.bias"]
    save_tensors(path, tensors, tiny.write_hints(tiny.HINTS))

    with pytest.raises(BrokenFile, match=r"cut.safetensors: its unet lacks mid_block.resnets.1.conv2.bias$"):
        load(checkpoint_parts(path, read_table(path), SD1)["unet"])


def test_several_missing_tensors_are_counted(parts: Mapping[str, Part]) -> None:
    left = {name: key for name, key in parts["vae"].keys.items() if "norm1" not in name}

    with pytest.raises(BrokenFile, match=r"its vae lacks \S+norm1.bias and \d+ more"):
        load(replace(parts["vae"], keys=left))


def test_a_tensor_of_another_shape_is_named_with_both_shapes(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    tensors = checkpoint_tensors(**tiny.models())
    tensors["model.diffusion_model.out.0.weight"] = torch.ones(9)
    save_tensors(path, tensors, tiny.write_hints(tiny.HINTS))

    with pytest.raises(BrokenFile, match=r"odd.safetensors: conv_norm_out.weight of its unet is \(9,\), not \(8,\)"):
        load(checkpoint_parts(path, read_table(path), SD1)["unet"])


@pytest.mark.parametrize(("field", "role"), [("unet_norm_groups", "unet"), ("text_encoder_heads", "text_encoder")])
def test_a_header_whose_numbers_do_not_fit_the_shapes_is_refused(tmp_path: Path, field: str, role: str) -> None:
    hints = replace(tiny.HINTS, **{field: 3})
    path = tiny.write_checkpoint(tmp_path / "odd.safetensors", **tiny.write_hints(hints))

    with pytest.raises(BrokenFile, match=f"odd.safetensors: no {role} has the sizes"):
        load(checkpoint_parts(path, read_table(path), SD1)[role])


def test_a_file_that_is_replaced_does_not_change_the_live_model(tmp_path: Path) -> None:
    """Weights stay mapped from the file, so writing in place would."""
    path = tiny.write_checkpoint(tmp_path / "live.safetensors", seed=0)
    module = load(checkpoint_parts(path, read_table(path), SD1)["unet"])
    before = answer("unet", module)

    tiny.write_checkpoint(path, seed=1)

    assert torch.equal(answer("unet", module), before)
    again = load(checkpoint_parts(path, read_table(path), SD1)["unet"])
    assert not torch.allclose(answer("unet", again), before, rtol=0.01, atol=0.01)


def test_equal_models_make_equal_files(tmp_path: Path) -> None:
    one, two = (tiny.write_checkpoint(tmp_path / name) for name in ("a.safetensors", "b.safetensors"))

    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool])
def test_what_we_save_the_safetensors_library_reads(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {
        "b": (torch.randn(3, 4) * 9).to(dtype).T,
        "a": torch.tensor(1).to(dtype),
        "empty": torch.ones(0, 2).to(dtype),
    }

    save_tensors(tmp_path / "x.safetensors", tensors, {"note": "grüße", "json": json.dumps({"a": 1})})

    with safe_open(tmp_path / "x.safetensors", framework="pt") as file:
        assert file.metadata() == {"note": "grüße", "json": '{"a": 1}'}
        assert {name: file.get_tensor(name).dtype for name in file.keys()} == dict.fromkeys(tensors, dtype)  # noqa: SIM118
        assert all(torch.equal(file.get_tensor(name), one) for name, one in tensors.items())


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_tensors(path, {"a": torch.ones(2)}, {})
    before = path.read_bytes()

    with pytest.raises(KeyError):
        save_tensors(path, {"a": torch.ones(2), "b": torch.ones(2, dtype=torch.complex64)}, {})

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
