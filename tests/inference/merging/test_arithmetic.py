import pytest
import torch

from inference.merging.arithmetic import joined
from inference.merging.recipe import MergeRecipe, Method


def test_a_weighted_sum_leans_to_the_second_model() -> None:
    a, b = torch.randn(4, 3), torch.randn(4, 3)
    torch.testing.assert_close(joined(Method.WEIGHTED_SUM, 0.3, a, b), 0.7 * a + 0.3 * b)


def test_a_difference_is_added() -> None:
    a, b, c = torch.randn(3, 4, 3).unbind()
    torch.testing.assert_close(joined(Method.ADD_DIFFERENCE, 0.5, a, b, c), a + 0.5 * (b - c))
    assert torch.equal(joined(Method.ADD_DIFFERENCE, 0.5, a, b), a)


def test_half_precision_is_joined_in_float32_and_kept() -> None:
    a, b = torch.full((2, 2), 1000.0).half(), torch.full((2, 2), 1001.0).half()

    made = joined(Method.WEIGHTED_SUM, 0.5, a, b)

    assert made.dtype == torch.float16
    assert torch.equal(made, torch.full((2, 2), 1000.5).half())


def test_of_an_inpainting_checkpoint_the_first_channels_are_joined() -> None:
    a, b = torch.randn(8, 9, 3, 3), torch.randn(8, 4, 3, 3)

    made = joined(Method.WEIGHTED_SUM, 0.25, a, b)

    torch.testing.assert_close(made[:, :4], 0.75 * a[:, :4] + 0.25 * b)
    assert torch.equal(made[:, 4:], a[:, 4:])


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"b": "2"}, "none takes 1 models, not 2"),
        ({"method": "weighted-sum"}, "weighted-sum takes 2 models, not 1"),
        ({"b": "2", "method": "add-difference"}, "add-difference takes 3 models, not 2"),
        ({"discard": "("}, "no regular expression"),
        ({}, "nothing would change"),
        ({"c": "3", "method": "weighted-sum"}, "takes 2 models"),
    ],
)
def test_a_recipe_that_cannot_be_meant_is_refused(said: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        MergeRecipe.model_validate({"a": "1", **said})


def test_the_result_is_called_as_webui_calls_it() -> None:
    assert MergeRecipe(a="1", b="2", method=Method.WEIGHTED_SUM).title("x", "y") == "0.7(x) + 0.3(y)"
    recipe = MergeRecipe(a="1", b="2", c="3", method=Method.ADD_DIFFERENCE, multiplier=1)
    assert recipe.title("x", "y", "z") == "x + 1(y - z)"
