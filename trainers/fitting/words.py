"""Whether a text encoder can read the words that a recipe teaches (no torch)."""

from inference.prompt.tokenizer import tokenize
from modelhub.errors import BadValue
from trainers.recipe import Recipe

__all__ = ["check_words"]


def check_words(recipe: Recipe) -> None:
    """Raise `BadValue` for a token or a trigger word that a prompt cannot say."""
    for entry, word in (("token", recipe.token), ("trigger", recipe.trigger)):
        if word and not tokenize([word])[0]:
            raise BadValue(f"{entry} {word!r} is nothing that a text encoder reads", mend="choose another word")
