"""What happened that one wants to know of."""

from __future__ import annotations

from datetime import datetime

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods

from experts.choices import Availability
from experts.digests import mail_is_sent
from experts.notices import in_words, mine, see
from knowledge.access import Viewer

A_PAGE = 30


@require_http_methods(["GET", "HEAD", "POST"])
def notices(request: HttpRequest) -> HttpResponse:
    """One's own notices, newest first; by POST all are seen that were told ``until`` the page was made."""
    viewer = Viewer.of(request.user)
    if request.method == "POST":
        until = _moment(request.POST.get("until", ""))
        see(viewer=viewer, until=until)
        return redirect("experts:notices")
    page = Paginator(mine(viewer), A_PAGE).get_page(request.GET.get("page"))
    told = in_words(page.object_list, viewer)
    context = {
        "told": told,
        "new": any(one.notice.seen_at is None for one in told),
        "now": timezone.now().isoformat(),
        "page": page,
        "mail": Availability.of(request.user).get_mail_display() if mail_is_sent() else "",  # type: ignore[arg-type]
    }
    return render(request, "experts/notices.html", context)


def _moment(text: str) -> datetime:
    """The moment that a page says it was made; now where it says none."""
    try:
        return parse_datetime(text) or timezone.now()
    except ValueError:
        return timezone.now()
