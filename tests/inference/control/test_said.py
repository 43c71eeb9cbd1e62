import pytest

from inference.control.said import read_control
from inference.request import ControlUse
from modelhub.errors import BadValue


@pytest.mark.parametrize(
    ("said", "use"),
    [
        ("12=a.png", ControlUse(ref="12", image="a.png")),
        ("canny:12=a.png", ControlUse(ref="12", image="a.png", preprocessor="canny")),
        ("canny(50,150):net=a=b.png", ControlUse(ref="net", image="a=b.png", preprocessor="canny", options=(50, 150))),
        ("hf:owner/net=a.png", ControlUse(ref="hf:owner/net", image="a.png")),
        ("canny:hf:owner/net=a.png", ControlUse(ref="hf:owner/net", image="a.png", preprocessor="canny")),
        ("https://hub.example/net=a.png", ControlUse(ref="https://hub.example/net", image="a.png")),
        (
            "12=a.png;weight=0.8;start=0.1;end=0.5;mode=control;resize=fill",
            ControlUse(ref="12", image="a.png", weight=0.8, start=0.1, end=0.5, mode="control", resize="fill"),
        ),
    ],
)
def test_a_unit_of_control_is_read_as_it_is_typed(said: str, use: ControlUse) -> None:
    assert read_control(said) == use


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("12", "it names a model and a picture"),
        ("sketch(1):12=a.png", "'sketch' is no preprocessor"),
        ("canny(1,2,3):12=a.png", "canny takes 2 numbers, not 3"),
        ("canny(0):12=a.png", "low lies between 1 and 255"),
        ("canny(x):12=a.png", "could not convert"),
        ("12=a.png;weight=3", "less than or equal to 2"),
        ("12=a.png;colour=red", "'colour' is not known"),
        ("12=a.png;start=0.7;end=0.2", "starts at 0.7 cannot end at 0.2"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(said: str, why: str) -> None:
    with pytest.raises(BadValue, match=why):
        read_control(said)
