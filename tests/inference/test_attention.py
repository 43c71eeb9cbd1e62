"""A lightened UNet answers what the plain one answers, with less work."""

import gc
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from inference.attention import lightened
from tests import tiny

X, TIME = torch.randn(2, 4, 8, 8), torch.full((2,), 500.25)
TO_K = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"


class Counts(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, int] = {}

    def __torch_dispatch__(self, op: object, types: object, args: tuple = (), kwargs: dict | None = None) -> object:  # type: ignore[type-arg]
        name = str(op).removeprefix("aten.").partition(".")[0]
        self.calls[name] = self.calls.get(name, 0) + 1
        return op(*args, **kwargs or {})  # type: ignore[operator]


@pytest.fixture
def unet() -> nn.Module:
    return lightened(tiny.models()["unet"])


@torch.inference_mode()
def answer(unet: nn.Module, text: Tensor) -> Tensor:
    found: Tensor = unet(X, TIME, text, return_dict=False)[0]
    return found


def text(seed: int = 0) -> Tensor:
    return torch.randn(2, 77, tiny.WIDTH, generator=torch.Generator().manual_seed(seed))


def count(action: Callable[[], object]) -> dict[str, int]:
    with Counts() as counter:
        action()
    return counter.calls


def test_it_answers_to_the_bit_what_the_plain_one_answers(unet: nn.Module) -> None:
    plain, said = tiny.models()["unet"], [text(0), text(1)]

    for one in (said[0], said[1], said[0]):
        assert torch.equal(answer(unet, one), answer(plain, one))


def test_its_parameters_and_their_names_stay(unet: nn.Module) -> None:
    plain = tiny.models()["unet"].state_dict()

    assert unet.state_dict().keys() == plain.keys()
    assert all(torch.equal(tensor, plain[name]) for name, tensor in unet.state_dict().items())


def test_a_text_meets_its_projections_once(unet: nn.Module) -> None:
    said = text()
    first, second = count(lambda: answer(unet, said)), count(lambda: answer(unet, said))

    blocks = sum(name.endswith("attn2") for name, _ in unet.named_modules())
    assert first["linear"] - second["linear"] == 2 * blocks


def test_nothing_is_divided_by_1_and_the_time_is_activated_once(unet: nn.Module) -> None:
    plain = count(lambda: answer(tiny.models()["unet"], text()))
    light = count(lambda: answer(unet, text()))

    resnets = sum(hasattr(module, "time_emb_proj") for module in unet.modules())
    assert light["div"] == 1  # within the time's embedding
    assert plain["div"] > resnets
    assert plain["silu"] - light["silu"] == resnets - 1


def test_lightening_twice_is_lightening_once(unet: nn.Module) -> None:
    before = answer(unet, text())

    assert lightened(unet) is unet
    assert torch.equal(answer(unet, text()), before)


def given_other_data(layer: nn.Linear) -> None:
    layer.weight.data = layer.weight.data * 1.5


def written_to(layer: nn.Linear) -> None:
    with torch.no_grad():
        layer.weight.mul_(1.5)


def replaced(layer: nn.Linear) -> None:
    layer.weight = nn.Parameter(layer.weight.data * 1.5, requires_grad=False)


@pytest.mark.parametrize("change", [given_other_data, written_to, replaced])
def test_changed_weights_are_heard_under_the_same_text(unet: nn.Module, change: Callable[[nn.Linear], None]) -> None:
    said, plain = text(), tiny.models()["unet"]
    before = answer(unet, said)
    for one in (unet, plain):
        layer = one.get_submodule(TO_K)
        assert isinstance(layer, nn.Linear)
        change(layer)

    assert torch.equal(answer(unet, said), answer(plain, said))
    assert not torch.equal(answer(unet, said), before)


def test_a_net_before_the_keys_is_heard_when_it_comes_and_when_it_goes(unet: nn.Module) -> None:
    said = text()
    before = answer(unet, said)

    hook = unet.get_submodule(TO_K).register_forward_pre_hook(lambda _, inputs: (inputs[0] * 2, *inputs[1:]))
    between = answer(unet, said)
    hook.remove()

    assert not torch.equal(between, before)
    assert torch.equal(answer(unet, said), before)


def test_what_a_text_came_to_goes_with_the_text(unet: nn.Module) -> None:
    said = text()
    answer(unet, said)
    kept = [module.processor._kept for module in unet.modules() if hasattr(module, "processor")]
    assert sum(map(len, kept)) > 0

    del said
    gc.collect()

    assert sum(map(len, kept)) == 0


def test_while_weights_learn_nothing_is_kept(unet: nn.Module) -> None:
    said = text()
    unet(X, TIME, said)

    assert not any(len(module.processor._kept) for module in unet.modules() if hasattr(module, "processor"))


def test_attention_that_somebody_else_has_a_hand_in_is_left_alone() -> None:
    from diffusers.models.attention_processor import AttnProcessor

    unet = tiny.models()["unet"]
    unet.set_attn_processor(AttnProcessor())  # type: ignore[operator]

    lightened(unet)

    assert all(type(module.processor) is AttnProcessor for module in unet.modules() if hasattr(module, "processor"))
