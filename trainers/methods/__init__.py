"""Ways to make a new model from a base, one file a method.

A method offers `prepare(models, plan, recipe)`, which gives a `Trainee`: the parameters that learn, how they join the
frozen base, and how they are written.
"""

from trainers.methods._trainee import WORDS_ENDING, Export, ParameterGroup, Trainee

__all__ = ["WORDS_ENDING", "Export", "ParameterGroup", "Trainee"]
