import torch

from inference.conditioning.encoding import Encoding, of_one_length, stacked
from inference.conditioning.timeline import Timeline
from inference.prompt.schedule import Span


def test_a_timeline_gives_what_holds_at_a_call() -> None:
    a, b = Encoding(torch.zeros(1, 77, 4)), Encoding(torch.ones(1, 77, 4))
    timeline = Timeline((Span(2, "a"), Span(6, "b")), (a, b))

    assert [timeline.at(call) is a for call in (0, 2, 3, 6, 7)] == [True, True, False, False, True]
    assert Timeline.fixed(b).at(50) is b


def test_shorter_encodings_repeat_their_last_vector() -> None:
    short, long = torch.arange(3.0).view(1, 3, 1), torch.zeros(1, 5, 1)

    filled, same = of_one_length([Encoding(short), Encoding(long)])

    assert filled.tokens.flatten().tolist() == [0, 1, 2, 2, 2]
    assert torch.equal(same.tokens, long)


def test_encodings_are_stacked_row_by_row_with_all_that_they_say() -> None:
    one = Encoding(torch.zeros(1, 3, 2), torch.zeros(1, 4), torch.zeros(1, 6)).rows(2)
    other = Encoding(torch.ones(2, 3, 2), torch.ones(2, 4), torch.ones(2, 6))

    both = stacked([one, other])

    assert both.tokens[:, 0, 0].tolist() == [0, 0, 1, 1]
    assert both.pooled is not None
    assert both.pooled[:, 0].tolist() == [0, 0, 1, 1]
    assert both.sizes is not None
    assert both.sizes.shape == (4, 6)
    assert stacked([Encoding(torch.zeros(1, 3, 2))]).pooled is None
