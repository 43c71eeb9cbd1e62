import torch

from inference.conditioning.timeline import Timeline, of_one_length
from inference.prompt.schedule import Span


def test_a_timeline_gives_what_holds_at_a_call() -> None:
    a, b = torch.zeros(1, 77, 4), torch.ones(1, 77, 4)
    timeline = Timeline((Span(2, "a"), Span(6, "b")), (a, b))

    assert [timeline.at(call) is a for call in (0, 2, 3, 6, 7)] == [True, True, False, False, True]
    assert Timeline.fixed(b).at(50) is b


def test_shorter_encodings_repeat_their_last_vector() -> None:
    short, long = torch.arange(3.0).view(1, 3, 1), torch.zeros(1, 5, 1)

    filled, same = of_one_length([short, long])

    assert filled.flatten().tolist() == [0, 1, 2, 2, 2]
    assert torch.equal(same, long)
