"""Short lists for a person's home page, each of what this viewer may see now."""

from __future__ import annotations

from knowledge.access import Viewer
from knowledge.models import Resource, Search


def changed_lately(viewer: Viewer, count: int = 6) -> list[Resource]:
    """The newest documents that the viewer may read; people are left out, their pages have no news."""
    found: list[Resource] = list(
        Resource.objects.visible_to(viewer)
        .exclude(kind="person")
        .filter(updated__isnull=False)
        .select_related("source", "verification__owner")
        .defer("body")
        .order_by("-updated", "pk")[:count]
    )
    return found


def recent_searches(viewer: Viewer, count: int = 6) -> list[str]:
    """What this person searched for last, each text once. Their own alone."""
    texts = (
        Search.objects.filter(person_id=viewer.person_id, total__gt=0).order_by("-at").values_list("text", flat=True)
    )
    return list(dict.fromkeys(texts[: count * 4]))[:count]
