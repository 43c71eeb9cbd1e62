"""What the author of a model lets others do: for one model, and for a stack of them. Unknown is said to be unknown."""

from modelhub.licences._civitai import from_civitai
from modelhub.licences._huggingface import from_huggingface
from modelhub.licences._known import known, known_names, of_base, of_family, of_repository
from modelhub.licences._stack import (
    REQUIREMENTS,
    Named,
    Requirement,
    Verdict,
    agreed,
    bound_by,
    check,
    combined,
    requirement,
    strictures,
    unmet,
)
from modelhub.licences._terms import BURDENS, QUESTIONS, UNKNOWN, Answer, Licence
from modelhub.licences._writing import from_json, to_json

__all__ = [
    "BURDENS",
    "QUESTIONS",
    "REQUIREMENTS",
    "UNKNOWN",
    "Answer",
    "Licence",
    "Named",
    "Requirement",
    "Verdict",
    "agreed",
    "bound_by",
    "check",
    "combined",
    "from_civitai",
    "from_huggingface",
    "from_json",
    "known",
    "known_names",
    "of_base",
    "of_family",
    "of_repository",
    "requirement",
    "strictures",
    "to_json",
    "unmet",
]
