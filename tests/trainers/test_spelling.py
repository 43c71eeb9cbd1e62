"""Methods as people type them."""

from trainers.recipe.methods import METHODS
from trainers.spelling import command_of, method_of


def test_every_method_is_typed_with_hyphens_and_read_back() -> None:
    assert [method_of(command_of(method)) for method in METHODS] == list(METHODS)
    assert "_" not in "".join(map(command_of, METHODS))
