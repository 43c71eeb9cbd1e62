"""Whatever a processor draws a graphics card draws: on a pretended one, in a process of its own."""

from tests.card.process import passes


def test_drawn_on_a_card() -> None:
    passes("drawings")
