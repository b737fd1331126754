"""What templates say of lessons and experiments."""

from __future__ import annotations

from django import template

from immersive.work.lessons import connector
from immersive.work.lessons.rows import Told

register = template.Library()


@register.filter
def told_title(one: Told) -> str:
    """A lesson's first sentence; what an experiment supposes."""
    return connector.title(one)


@register.filter
def told_kind(one: Told) -> str:
    """What it is: a lesson or an experiment."""
    return str(one._meta.verbose_name)


@register.filter
def clause(label: str) -> str:
    """The name of a kind without what explains it."""
    return str(label).partition(":")[0]
