import pytest

from inference.prompt.composition import split_parts


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", [("", 1.0)]),
        ("a cat", [("a cat", 1.0)]),
        ("a cat AND a dog", [("a cat", 1.0), (" a dog", 1.0)]),
        ("a cat :1.2 AND a dog:-.5", [("a cat", 1.2), (" a dog", -0.5)]),
        ("a cat:1.2", [("a cat", 1.2)]),
        ("a cat: 2. ", [("a cat", 2.0)]),
        ("a cat:1.2.3", [("a cat:1.2.3", 1.0)]),
        ("(a cat:1.2)", [("(a cat:1.2)", 1.0)]),
        ("a\ncat AND\nb", [("a\ncat", 1.0), ("\nb", 1.0)]),
        ("a and b, SAND, ANDY", [("a and b, SAND, ANDY", 1.0)]),
        ("AND", [("", 1.0), ("", 1.0)]),
        ("a:\N{ARABIC-INDIC DIGIT TWO}", [("a", 2.0)]),
    ],
)
def test_a_prompt_is_split_as_webui_splits_it(prompt: str, expected: list[tuple[str, float]]) -> None:
    assert [(part.text, part.weight) for part in split_parts(prompt)] == expected
