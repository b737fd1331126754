"""What templates say of lessons."""

from __future__ import annotations

from django import template

from immersive.work.lessons import connector
from immersive.work.lessons.rows import Lesson

register = template.Library()


@register.filter
def lesson_title(lesson: Lesson) -> str:
    """A lesson's first sentence."""
    return connector.title(lesson)


@register.filter
def clause(label: str) -> str:
    """The name of a kind without what explains it."""
    return str(label).partition(":")[0]
