"""What all addresses of one's own work share: kept out of caches and reports, and how a refusal is answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as Invalid
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.views import APIView

from immersive.work import tasks
from immersive.work.actions import AssessFirst
from immersive.work.lessons.names import Found
from immersive.work.lessons.told import SomebodyIsNamed
from immersive.work.models import AssessmentLocked, Task
from immersive.work.recall import NotDue
from knowledge.access import Viewer

ONE_TASK = "The task of the caller with this id; 404 for every other one, whether it exists or not."
SURE_FIRST = OpenApiResponse(description="Say first how sure you are.")
VERBS = ("get", "post", "put", "patch", "delete")


class Refused(APIException):
    """What was asked comes too late or too early."""

    status_code = status.HTTP_409_CONFLICT


@contextmanager
def answered(field: str, of: str = "", **renamed: str) -> Iterator[None]:
    """Whatever a verb refuses within, as the caller is told: what does not fit by its ``field``, with the cure.

    ``of``: which one of several it is; ``renamed``: where a verb says a field's name that is another one here.
    """
    try:
        yield
    except AssessFirst:
        raise Refused("Say first how sure you are: put the assessment.", code="assess_first") from None
    except AssessmentLocked:
        raise Refused("It was said already and stays as it was said.", code="locked") from None
    except NotDue:
        raise Refused("It was answered already. Nothing was changed.", code="not_due") from None
    except SomebodyIsNamed as problem:
        raise ValidationError({part: [_named(one) for one in found] for part, found in problem.found.items()}) from None
    except Invalid as problem:
        whole = {field: [of + words for words in problem.messages]}
        said = problem.message_dict if hasattr(problem, "error_dict") else whole
        raise ValidationError({renamed.get(name, name): words for name, words in said.items()}) from None


def _named(one: Found) -> str:
    return f"“{one.text}” names somebody. Write “{one.instead}”, or say in plain that “{one.text}” is no person."


class Pages(PageNumberPagination):
    """Twenty a page, or as many as asked for up to a hundred."""

    page_size = 20
    page_size_query_param = "per_page"
    max_page_size = 100


@method_decorator(never_cache, name="dispatch")
class Mine(APIView):
    """An address of the caller's own things: no cache may keep its answers, no error report its words."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        for verb in VERBS:
            if hasattr(cls, verb):
                setattr(cls, verb, sensitive_variables()(getattr(cls, verb)))

    @cached_property
    def viewer(self) -> Viewer:
        """Who asks; nobody while the schema is made."""
        return Viewer.of(None if getattr(self, "swagger_fake_view", False) else self.request.user)

    def said(self, form: type[serializers.Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """What the request says, if it fits; ``partial``: of what it does not name, nothing."""
        return self._fits(form(data=self.request.data, partial=partial))

    def asked(self, form: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """What its address asks, if it fits."""
        return self._fits(form(data=self.request.query_params))

    def _fits(self, read: serializers.Serializer[Any]) -> dict[str, Any]:
        read.is_valid(raise_exception=True)
        return dict(read.validated_data)


class OneTask(Mine):
    """What the addresses under one task share."""

    def found(self, public_id: UUID) -> Task:
        """The caller's task, or 404; asked before a word of the request is read."""
        return tasks.mine_or_404(public_id, self.viewer)
