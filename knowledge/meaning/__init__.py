"""Search by meaning: passages near a question in what they say, beside those that share its words.

`encoder` is the model that settings choose, if there is one here; `look` is
one search. Both are missed gracefully: search is complete by words, and says
nothing of meaning where the model, its library or its vectors are away.
"""

from __future__ import annotations


class ModelProblem(Exception):
    """The model cannot be used; the message says the cure. Search goes on by words."""


class TextRefused(ModelProblem):
    """The model is well, but will not take one of these texts."""
