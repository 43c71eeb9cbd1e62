"""The picture is a hint already."""

from inference.control.preprocessors._preprocessor import Picture, Preprocessor

__all__ = ["PREPROCESSOR"]


def _as_it_is(picture: Picture) -> Picture:
    return picture


PREPROCESSOR = Preprocessor("none", (), _as_it_is)
