"""Words for pictures: from their names, from taggers and captioners, put right by rules, written beside them."""

from trainers.captioning.nouns import Change, Say, Writing
from trainers.captioning.rules import Rules
from trainers.captioning.work import asks, caption

__all__ = ["Change", "Rules", "Say", "Writing", "asks", "caption"]
