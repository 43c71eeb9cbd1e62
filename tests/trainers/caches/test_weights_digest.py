"""A module is known by its numbers, not by the file that they come from."""

from pathlib import Path

import pytest
import torch
from torch import nn

from inference.weights.load import load_part
from inference.weights.parts import VAE
from inference.weights.single_file import checkpoint_parts
from modelhub.families import family
from modelhub.headers import read_table
from tests import tiny
from trainers.caches import weights_digest

ENCODER = ("encoder.", "quant_conv.")


@pytest.fixture
def vae() -> nn.Module:
    return tiny.models()["vae"]


def test_the_same_weights_in_another_file_are_the_same(tmp_path: Path, checkpoint: Path) -> None:
    paths = [checkpoint, tiny.write_checkpoint(tmp_path / "other.safetensors", note="other bytes in the header")]
    parts = [checkpoint_parts(path, read_table(path), family("sd1"))[VAE] for path in paths]

    digests = {
        weights_digest(load_part(one, device=torch.device("cpu"), dtype=torch.float32), one.config) for one in parts
    }

    assert len(digests) == 1


@pytest.mark.parametrize("name", ["encoder.conv_in.weight", "quant_conv.bias", "encoder.conv_out.bias"])
def test_a_single_number_changes_it(vae: nn.Module, name: str) -> None:
    before = weights_digest(vae, {}, ENCODER)
    vae.get_parameter(name).data.view(-1)[0] += 1e-6

    assert weights_digest(vae, {}, ENCODER) != before


def test_what_is_not_asked_for_does_not_count(vae: nn.Module) -> None:
    before = weights_digest(vae, {}, ENCODER)
    vae.get_parameter("decoder.conv_in.weight").data += 1

    assert weights_digest(vae, {}, ENCODER) == before
    assert weights_digest(vae, {}) != before


def test_sizes_and_precision_count(vae: nn.Module) -> None:
    found = {weights_digest(vae, {}), weights_digest(vae, {"norm_num_groups": 2}), weights_digest(vae.half(), {})}

    assert len(found) == 3
