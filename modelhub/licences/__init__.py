"""What the author of a model lets others do: for one model, and for a stack of them. Unknown is said to be unknown."""

from modelhub.licences._terms import UNKNOWN, Answer, Licence

__all__ = ["UNKNOWN", "Answer", "Licence"]
