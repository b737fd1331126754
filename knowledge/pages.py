"""What pages show beside a search: what changed lately, what a sentence is about, what one person looked for.

Each answers for one viewer, or for one resource that was already authorised; how to ask is the same for all.
"""

from __future__ import annotations

import html
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.debug import sensitive_variables

from knowledge import standing
from knowledge.access import Ground, Viewer, id_in
from knowledge.edition import Standing
from knowledge.index import IndexProblem
from knowledge.index.analysis import tokens, topic_key
from knowledge.index.language import parse
from knowledge.models import Click, Resource, Search, Suspension
from knowledge.reader import render
from knowledge.search import retrieve

logger = logging.getLogger(__name__)

HIGHEST_RANK = 32_767
NEAR, TOGETHER, SHARE = 10, 2, 0.5
"""Documents that tell what a text is about, how many of them must bear a topic, and its least share of the best one."""
MOST_NOTES = 200
"""Lessons that are looked at for one page."""
HOW_TO_ASK = ("What you can type", "How your search was read", "While you type", "Misspelled words",
              "Outside the portal")  # fmt: skip
"""The parts of docs/search.md that are for whoever searches."""


@dataclass(frozen=True, slots=True)
class Note:
    """A lesson that shows above a document which it concerns; ``suspends``: as long as it stands, nobody vouches."""

    lesson: Resource
    suspends: bool

    @property
    def say(self) -> str:
        """What is worth knowing first."""
        return str(self.lesson.facts.get("say") or self.lesson.title)


def notes(resources: Iterable[Resource], viewer: Viewer, most: int = 2) -> dict[int, list[Note]]:
    """Lessons that the viewer may read, by the resource that they concern, the newest first (one query)."""
    ids = [one.pk for one in resources if one.kind != "person"]
    if not ids:
        return {}
    readable = Resource.objects.visible_to(viewer).filter(kind="lesson")
    open_ = Suspension.objects.filter(resource=OuterRef("to_resource"), lifted_at=None)
    rows: Any = (
        Resource.concerns.through.objects.filter(to_resource__in=ids, from_resource__in=readable.values("pk"))
        .annotate(suspends=Exists(open_.filter(lesson=OuterRef("from_resource__key"))))
        .select_related("from_resource")
        .defer("from_resource__body")
        .order_by("-from_resource__created", "-pk")[:MOST_NOTES]
    )
    found: dict[int, list[Note]] = defaultdict(list)
    for row in rows:
        if len(found[row.to_resource_id]) < most:
            found[row.to_resource_id].append(Note(row.from_resource, row.suspends))
    return dict(found)


def changed_lately(viewer: Viewer, count: int = 6) -> list[Resource]:
    """The newest documents that the viewer may read; people are left out, their pages have no news."""
    found: list[Resource] = list(
        Resource.objects.visible_to(viewer)
        .exclude(kind="person")
        .filter(updated__isnull=False)
        .select_related("source")
        .with_verification()
        .defer("body")
        .order_by("-updated", "pk")[:count]
    )
    return found


@sensitive_variables()
def topics_near(text: str, viewer: Viewer, count: int = 5) -> list[str]:
    """Topics that the documents closest to a text share, as far as the viewer may read them; the most shared first.

    For what a sentence is about without naming it. None where the index does not answer (one search and one query).
    """
    try:
        hits = retrieve(parse(" ".join(tokens(text))), Ground(viewer)).documents[:NEAR]
    except IndexProblem:
        return []
    best = max((hit.score for hit in hits), default=0.0) or 1.0
    weight = {UUID(hit.key): (hit.score / best) ** 2 for hit in hits}
    rows = Resource.objects.visible_to(viewer).naming().filter(public_id__in=weight, topics__isnull=False)
    shared: dict[str, dict[UUID, float]] = defaultdict(dict)
    spelled: Counter[str] = Counter()
    for key, name in rows.values_list("public_id", "topics__name"):
        shared[topic_key(name)][key] = weight[key]
        spelled[name] += 1
    spelling = {topic_key(name): name for name, _ in reversed(spelled.most_common())}
    told = {topic: sum(of.values()) for topic, of in shared.items() if len(of) >= TOGETHER}
    least = SHARE * max(told.values(), default=0.0)
    ordered = sorted((topic for topic in told if told[topic] >= least), key=lambda topic: (-told[topic], topic))
    return [spelling[topic] for topic in ordered[:count]]


@sensitive_variables()
def recent_searches(viewer: Viewer, count: int = 6) -> list[str]:
    """What this person searched for last, each text once. Their own alone."""
    if viewer.person_id is None:
        return []
    mine = Search.objects.filter(person_id=viewer.person_id, total__gt=0).order_by("-at")
    return list(dict.fromkeys(mine.values_list("text", flat=True)[: count * 4]))[:count]


@sensitive_variables()
def opened(resource: Resource, viewer: Viewer, search_id: str, rank: str) -> Search | None:
    """Remember that a result was opened from a search, once each; the search, if it is the viewer's own.

    What stands in the address is whatever somebody put there: another
    person's search, or none, counts as no search. Reading never fails because
    this could not be written.
    """
    public_id = id_in(search_id)
    mine = Search.objects.none() if viewer.person_id is None else Search.objects.filter(person_id=viewer.person_id)
    search = mine.filter(public_id=public_id).first() if public_id else None
    if search is None:
        return None
    place = min(int(rank), HIGHEST_RANK) if rank.isascii() and rank.isdigit() and len(rank) < 9 else 0
    try:
        with transaction.atomic():
            first = {"rank": place, **standing.among(resource)}
            if Click.objects.get_or_create(search=search, resource=resource, defaults=first)[1]:
                Standing.objects.doubt(resource.pk, wait=standing.SOON)
    except (DatabaseError, Click.MultipleObjectsReturned) as error:
        logger.warning("an opened result was not remembered: %s", type(error).__name__)
    return search


@cache
def how_to_ask() -> SafeString:
    """The parts of docs/search.md that are for whoever searches, as HTML; each example leads to its search.

    Every example there is run by a test, so the page says what is so. What
    speaks of the project's own files is left out.
    """
    parts = re.split(r"^## (.+)\n", (settings.BASE_DIR / "docs" / "search.md").read_text(), flags=re.M)[1:]
    told = dict(zip(parts[::2], parts[1::2], strict=True))
    text = "\n".join(f"## {name}\n{told[name]}" for name in HOW_TO_ASK)
    plain = "\n\n".join(block for block in text.split("\n\n") if ".py`" not in block)
    cells = re.split(r"<td><code>(.*?)</code></td>", render(plain).html)
    for at in range(1, len(cells), 2):
        asked = html.unescape(cells[at])
        address = f"{reverse('search')}?{urlencode({'q': asked})}"
        cells[at] = format_html('<td><a href="{}"><code>{}</code></a></td>', address, asked)
    return mark_safe("".join(cells))  # noqa: S308 - the reader cleaned it, and the links are escaped above
