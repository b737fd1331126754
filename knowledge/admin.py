"""The operator's view of sources, their runs, pins and synonyms, and gaps.

Nothing that one person searched or said shows here: a gap is what several did not find.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Exists, Model, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from knowledge import actions
from knowledge.access import Viewer, resource_or_404
from knowledge.connectors.live import LiveFailure, ask
from knowledge.documents import EVERYONE
from knowledge.edition import Pin, Synonym
from knowledge.frameworks import Framework
from knowledge.gaps import Gap
from knowledge.index.analysis import tokens
from knowledge.live_sources import Declared, LiveHealth, LiveSource
from knowledge.models import (
    HOW_TO_NAME_SOMEBODY,
    Audience,
    Resource,
    Source,
    SourceGroup,
    SyncRun,
)

COMPARISONS = ("", "__exact", "__in", "__isnull", "__gte", "__gt", "__lte", "__lt")


class OfferedLookups:
    """Addresses of a list narrow it by what the page offers, and by nothing else.

    Django lets ``?tasks__isnull=0`` pass, since it is one step away: with that
    a list of people would tell who has tasks, and ``?tasks=5`` whose task it is.
    """

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Whether ``lookup`` is a field of the filters or of the search box, or the id at its other end."""
        page: Any = self
        offered = [name.lstrip("^=@$") for name in page.search_fields]
        for item in page.get_list_filter(request) if request else page.list_filter:
            name = item[0] if isinstance(item, list | tuple) else item
            offered.append(name if isinstance(name, str) else name.parameter_name)
        return lookup in {
            f"{name}{end}{comparison}"
            for name in offered
            for end, comparison in product(("", *self._ids(page.model, name)), COMPARISONS)
        }

    @staticmethod
    def _ids(model: type[Model], name: str) -> tuple[str, ...]:
        try:
            field: Any = model._meta.get_field(name)
        except FieldDoesNotExist:
            return ()
        return ("__id", "__pk") if field.is_relation else ()


class NoDelete:
    """Rows that documents hang on are switched off, not deleted: the commands and actions erase what they hold."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class GroupInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who is meant by the groups that a source names: shown and changed with rights to `SourceGroup` of its own."""

    model = SourceGroup
    extra = 0

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("source")


@admin.register(Source)
class SourceAdmin(OfferedLookups, NoDelete, admin.ModelAdmin):  # type: ignore[type-arg]
    """Sources are added by ``manage.py add_source``, which checks that they can be read."""

    list_display = ["name", "kind", "address", "audience", "active", "every"]
    ordering = ["name"]
    readonly_fields = ["kind", "address", "options", "audience", "created_at"]
    fields = ["name", "active", "every", "trusts_emails", *readonly_fields]
    inlines = [GroupInline]
    actions = ["sync_now", "take_out"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Look for changes now", permissions=["change"])
    def sync_now(self, request: HttpRequest, queryset: Any) -> None:
        """Ask the worker."""
        for source in queryset:
            actions.request_sync(source=source)
        messages.success(request, "A worker was asked to look for changes.")

    @admin.action(description="Take out of the portal and erase what it held", permissions=["change"])
    def take_out(self, request: HttpRequest, queryset: Any) -> None:
        """Tombstone everything of the sources."""
        for source in queryset:
            actions.remove_source(source=source)
        messages.success(request, "Nobody finds anything of it from now on.")


@admin.register(SyncRun)
class SyncRunAdmin(OfferedLookups, NoDelete, admin.ModelAdmin):  # type: ignore[type-arg]
    """What each look at a source found; the files that failed are named to those whom the source is open to."""

    list_display = ["source", "created_at", "done_at", "seen", "added", "changed", "gone", "failed", "error"]
    list_filter = ["source"]

    def get_fields(self, request: HttpRequest, obj: SyncRun | None = None) -> Any:
        fields = super().get_fields(request, obj)
        if obj is not None and not Viewer.of(request.user).tokens & set(obj.source.audience.tokens):
            fields = [name for name in fields if name != "failures"]
        return fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ForWhom(forms.ModelForm):  # type: ignore[type-arg]
    """A row that is for some, who are named in words."""

    for_whom = forms.CharField(initial=EVERYONE, help_text=f"{HOW_TO_NAME_SOMEBODY} Several with commas between them.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.audience_id:
            self.initial["for_whom"] = str(self.instance.audience)

    def clean_for_whom(self) -> str:
        """Refuse a token that nobody holds, and keep the rest as the row's audience."""
        tokens = [token.strip() for token in self.cleaned_data["for_whom"].split(",") if token.strip()]
        nobody = [token for token in tokens if not get_user_model().token_is_of_somebody(token)]
        if nobody or not tokens:
            raise ValidationError(f"“{', '.join(nobody)}” means nobody. {HOW_TO_NAME_SOMEBODY}")
        self.instance.audience = Audience.objects.of(tokens)
        return ", ".join(tokens)


class SaysForWhom:
    """What Django remembers of a change says for whom the row is now."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """What Django remembers, and for whom the row is now."""
        said = list(super().construct_change_message(request, form, formsets, add))  # type: ignore[misc]
        if "for_whom" in form.changed_data or add:
            told = {"name": "audience", "object": str(form.instance.audience), "fields": ["for whom"]}
            said.append({"changed": told})
        return said


class LiveSourceForm(ForWhom):
    """A service, and in words for whom it is."""

    class Meta:
        model = LiveSource
        fields = ["name", "active", "shape", "address", "fields", "secret", "header", "for_whom", "trusted", "deadline"]


@admin.register(LiveSource)
class LiveSourceAdmin(OfferedLookups, SaysForWhom, admin.ModelAdmin):  # type: ignore[type-arg]
    """Services that are asked while somebody searches; what anybody searched for stands nowhere here."""

    form = LiveSourceForm
    list_display = ["name", "shape", "address", "audience", "trusted", "active", "lately"]
    list_select_related = ["audience"]
    actions = ["try_now"]

    @admin.display(description="Lately")
    def lately(self, row: LiveSource) -> str:
        """What it last failed with, if it has not answered since."""
        health = LiveHealth.objects.filter(source=row.public_id, failures__gt=0).first()
        return f"{health.said}, {health.failures} in a row" if health else ""

    @admin.action(description="Ask now, with the word “test”", permissions=["change"])
    def try_now(self, request: HttpRequest, queryset: Any) -> None:
        """Ask each of these services and say why it failed, or how much it found: what, to those it is for."""
        held = Viewer.of(request.user).tokens
        for row in queryset:
            try:
                answers = ask(Declared.of_row(row).service, "test").answers
            except LiveFailure as failure:
                messages.error(request, f"{row.name} {failure}. {failure.detail}")
            else:
                shown = answers[:1] if held & set(row.audience.tokens) else ()
                first = "".join(f", first “{answer.title}” at {answer.link}" for answer in shown)
                messages.success(request, f"{row.name}: {len(answers)} answers{first}.")


def _words(text: str) -> str:
    if not tokens(text):
        raise ValidationError("Write at least one word: signs alone are not searched for.")
    return " ".join(text.split())


class PinForm(ForWhom):
    """A pin; its page is named by its address here, if whoever writes the pin may read it."""

    viewer = Viewer(None, frozenset())
    page = forms.CharField(help_text="The address of its page here, as it stands in the browser when you read it.")

    class Meta:
        model = Pin
        fields = ["words", "page", "place", "for_whom", "until"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["page"] = self.instance.resource.get_absolute_url()

    def clean_words(self) -> str:
        """At least one word."""
        return _words(self.cleaned_data["words"])

    def clean_page(self) -> str:
        """Find the resource. One that the operator may not read is answered as one that never was."""
        typed: str = self.cleaned_data["page"].strip()
        if "page" in self.changed_data:
            found = re.search(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", typed.lower())
            try:
                self.instance.resource = resource_or_404(UUID(found[0] if found else ""), self.viewer)
            except (ValueError, Http404):
                raise ValidationError("No page that you may read has this address: open it here and copy it.") from None
        return typed


@admin.register(Pin)
class PinAdmin(OfferedLookups, SaysForWhom, admin.ModelAdmin):  # type: ignore[type-arg]
    """What stands first for some words. No title of a page shows to an operator who may not read it."""

    form = PinForm
    list_display = ["words", "place", "page", "audience", "until"]
    list_select_related = ["audience", "resource"]
    search_fields = ["words"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.viewer = Viewer.of(request.user)  # type: ignore[attr-defined]
        return form

    def get_queryset(self, request: HttpRequest) -> Any:
        viewer = Viewer.of(request.user)
        readable: Any = Resource.objects.visible_to(viewer).filter(pk=OuterRef("resource"))
        readable = readable.exclude(pk__in=Resource.objects.telling_too_much(viewer).values("pk"))
        return super().get_queryset(request).annotate(readable=Exists(readable))

    @admin.display(description="Page")
    def page(self, row: Any) -> str:
        """Its title, to those who may read it."""
        return str(row.resource) if row.readable else "a page that you may not read"


class SynonymForm(ForWhom):
    """Two ways to say the same."""

    class Meta:
        model = Synonym
        fields = ["words", "other", "both_ways", "for_whom", "until"]

    def clean_words(self) -> str:
        """At least one word."""
        return _words(self.cleaned_data["words"])

    def clean_other(self) -> str:
        """At least one word."""
        return _words(self.cleaned_data["other"])


@admin.register(Synonym)
class SynonymAdmin(OfferedLookups, SaysForWhom, admin.ModelAdmin):  # type: ignore[type-arg]
    """Other ways to say some words; for some people only, where the pair itself would tell too much."""

    form = SynonymForm
    list_display = ["words", "other", "both_ways", "audience", "until"]
    list_select_related = ["audience"]
    search_fields = ["words", "other"]


@admin.register(Gap)
class GapAdmin(OfferedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    """What three people or more searched for in the last ninety days and did not find; questions to everyone that
    nobody answered. Read, never written."""

    list_display = ("words", "kinds", "last_on")
    search_fields = ("words",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Framework)
class FrameworkAdmin(OfferedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    """Frameworks of topics: brought in from a file, on a page that shows first what it would do."""

    list_display = ["name", "attribution", "imported_at"]
    fields = ["name", "attribution"]
    search_fields = ["name"]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Where a file can be chosen."""
        return redirect("knowledge:bring-framework")
