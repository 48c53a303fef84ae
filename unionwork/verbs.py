"""Verbs: the acts that change what is stored. Each is one atomic function with keyword-only arguments.

Declared with `@verb("Duyệt hoạt động")`, so that the journal has words for it and the tests know that it exists
(every verb is tried on a closed period).
"""

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction


@dataclass(frozen=True)
class Verb:
    """`code`: app, module and name, as the journal keeps it, whatever room the module stands in; `words`: as people
    read it; `act`: the function."""

    code: str
    words: str
    act: object


VERBS = {}


def verb(words):
    """Make a function atomic and known by its `words`."""

    def decorate(function):
        app, *_, module = function.__module__.split(".")
        code = f"{app}.{module}.{function.__name__}"
        if code in VERBS and VERBS[code].act.__module__ != function.__module__:
            raise ImproperlyConfigured(f"Two verbs are called {code}.")
        act = transaction.atomic(function)
        act.code = code
        VERBS[code] = Verb(code, words, act)
        return act

    return decorate


def in_words(code):
    """How a verb is called; the code itself of one that no longer exists."""
    return VERBS[code].words if code in VERBS else code
