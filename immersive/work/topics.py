"""What a task is about, proposed from what its owner may read."""

from __future__ import annotations

import re
from itertools import islice

from django.utils.text import slugify

from knowledge.access import Viewer
from knowledge.models import Resource, Topic

LONGEST_NAME = 4
"""Words in a topic's name that are looked for in a sentence."""
MOST = 5


def proposed(statement: str, started_from: Resource | None, viewer: Viewer) -> list[Topic]:
    """At most five topics: those of the resource that a task began with, else those that its sentence names.

    A topic is only proposed when the viewer may read something about it: the
    name of a topic that is known from hidden pages alone tells of them.
    """
    if started_from is not None and (own := list(started_from.topics.order_by("name")[:MOST])):
        return own
    readable = Resource.objects.visible_to(viewer)
    named = Topic.objects.filter(slug__in=names_in(statement), resources__in=readable)
    return list(islice(named.distinct().order_by("name"), MOST))


def names_in(statement: str) -> frozenset[str]:
    """Slugs of every run of one to four words of a sentence: what a topic that it names is called."""
    words = [word for word in re.split(r"[\W_]+", statement) if word]
    return frozenset(
        slugify(" ".join(words[start : start + length]), allow_unicode=True)
        for length in range(1, LONGEST_NAME + 1)
        for start in range(len(words) - length + 1)
    )
