"""Pages of a person's own work, a module for each subject."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

P = ParamSpec("P")
Answer = TypeVar("Answer", bound=HttpResponseBase)
A_PAGE = 20


def private(view: Callable[P, Answer]) -> Callable[P, Answer]:
    """Keep what is typed and answered out of caches and error reports."""
    return wraps(view)(never_cache(sensitive_post_parameters()(sensitive_variables()(view))))


def page_of(request: HttpRequest, rows: Any) -> Any:
    """The page of these that an address asks for."""
    return Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
