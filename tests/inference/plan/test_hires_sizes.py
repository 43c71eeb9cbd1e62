"""The size of a second pass, and what it is asked for."""

import pytest

from inference.plan.hires import Enlargement, enlargement, second_pass
from inference.request import GenerationRequest, Hires

SIZES = [
    (Hires(scale=2.0), (512, 768), Enlargement((1024, 1536), (0, 0)), (1024, 1536)),
    (Hires(scale=1.3), (512, 512), Enlargement((665, 665), (0, 0)), (664, 664)),
    (Hires(width=1000), (512, 768), Enlargement((1000, 1500), (0, 0)), (1000, 1496)),
    (Hires(height=1000), (512, 768), Enlargement((666, 1000), (0, 0)), (664, 1000)),
    (Hires(width=1024, height=1024), (512, 768), Enlargement((1024, 1536), (0, 64)), (1024, 1024)),
    (Hires(width=1024, height=1024), (768, 512), Enlargement((1536, 1024), (64, 0)), (1024, 1024)),
    (Hires(width=1024, height=1024), (512, 512), Enlargement((1024, 1024), (0, 0)), (1024, 1024)),
    (Hires(width=600, height=1000), (512, 768), Enlargement((666, 1000), (8, 0)), (600, 1000)),
]
"""(what is asked for, the first pass's size) -> what it is brought to, and what is drawn."""


@pytest.mark.parametrize(("hires", "first", "expected", "drawn"), SIZES)
def test_a_second_pass_has_the_size_that_webui_gives_it(
    hires: Hires, first: tuple[int, int], expected: Enlargement, drawn: tuple[int, int]
) -> None:
    found = enlargement(hires, *first)

    assert found == expected
    assert found.drawn(8) == drawn


def test_a_second_pass_takes_what_it_does_not_say_from_the_first() -> None:
    request = GenerationRequest(
        prompt="a", negative_prompt="b", model="m", width=64, height=64, cfg=5, hires=Hires(prompt="", steps=3)
    )
    own = {"prompt": "c", "negative_prompt": "d", "model": "n", "steps": 7, "cfg": 0.0, "sampler": "LCM"}
    other = request.model_copy(update={"hires": Hires(**own, schedule="Karras")})

    plain, all_its_own = second_pass(request), second_pass(other)

    assert plain == request.model_copy(update={"steps": 3, "width": 128, "height": 128})
    assert {name: getattr(all_its_own, name) for name in own} == own
    assert all_its_own.schedule == "Karras"
