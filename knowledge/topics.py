"""What a sentence is about (a task, a question), proposed from what its author may read."""

from __future__ import annotations

from knowledge.access import Viewer
from knowledge.index.analysis import tokens
from knowledge.models import Resource, Topic

LONGEST_NAME = 4
"""Words in a topic's name that are looked for in a sentence."""
MOST = 5


def proposed(statement: str, started_from: Resource | None, viewer: Viewer) -> list[Topic]:
    """At most five topics: those of the resource that it began with, else those that the sentence names.

    A topic is only proposed when the viewer may read something about it: the
    name of a topic that is known from hidden pages alone tells of them.
    """
    if started_from is not None and (own := list(started_from.topics.order_by("name")[:MOST])):
        return own
    readable = Resource.objects.visible_to(viewer)
    named = Topic.objects.filter(slug__in=names_in(statement), resources__in=readable)
    one_each: dict[str, Topic] = {}
    for topic in named.distinct().order_by("name"):
        one_each.setdefault(topic.slug, topic)
    return list(one_each.values())[:MOST]


def names_in(statement: str) -> frozenset[str]:
    """Every run of one to four words of a sentence as topics are compared (`topic_key`)."""
    words = tokens(statement.replace("_", " "))
    return frozenset(
        "-".join(words[start : start + length])
        for length in range(1, LONGEST_NAME + 1)
        for start in range(len(words) - length + 1)
    )
