"""Whatever is trained on a processor is trained on a graphics card: on a pretended one, in a process of its own."""

from tests.card.process import passes


def test_trained_on_a_card() -> None:
    passes("trainings")
