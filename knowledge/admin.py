"""The operator's view of sources and their runs. Nothing that people searched or opened is shown here."""

from __future__ import annotations

from itertools import product
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.http import HttpRequest

from knowledge import actions
from knowledge.models import Source, SourceGroup, SyncRun

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
    readonly_fields = ["kind", "address", "options", "audience", "created_at"]
    fields = ["name", "active", "every", "trusts_emails", *readonly_fields]
    inlines = [GroupInline]
    actions = ["sync_now", "take_out"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Look for changes now")
    def sync_now(self, request: HttpRequest, queryset: Any) -> None:
        """Ask the worker."""
        for source in queryset:
            actions.request_sync(source=source)
        messages.success(request, "A worker was asked to look for changes.")

    @admin.action(description="Take out of the portal and erase what it held")
    def take_out(self, request: HttpRequest, queryset: Any) -> None:
        """Tombstone everything of the sources."""
        for source in queryset:
            actions.remove_source(source=source)
        messages.success(request, "Nobody finds anything of it from now on.")


@admin.register(SyncRun)
class SyncRunAdmin(OfferedLookups, NoDelete, admin.ModelAdmin):  # type: ignore[type-arg]
    """What each look at a source found."""

    list_display = ["source", "created_at", "done_at", "seen", "added", "changed", "gone", "failed", "error"]
    list_filter = ["source"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
