"""The operator's pages for people and teams.

What people search, which tasks they have and how sure they were is their own:
nothing here shows it, links to it or counts it. So an account cannot be
deleted here (Django would list what is deleted with it); it is deactivated.
And nobody gives a password to somebody else here: who knows it could sign in
as them and read all of that.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from experts import actions
from experts.directory import tokens
from experts.directory.imports import PeopleImport
from experts.directory.tokens import ProvisioningToken
from experts.models import Membership, Person, Team, in_any_case, one_line
from knowledge.access import Viewer
from knowledge.admin import OfferedLookups
from knowledge.models import Resource

NO_DELETION = (
    "Accounts are not deleted here, so that teams' history and documents' authors stay true, and so that nobody is "
    "shown what is private to a person. Deactivate the account: it can no longer sign in and leaves pages and search."
)
BY_LINK = (
    "Nobody types a password for somebody else. The command manage.py invite USERNAME prints a link that works once, "
    "with which the person chooses their own."
)
POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    """An account as the operator sees it: without any field for a password."""

    class Meta:
        model = Person
        fields = ("username",)
        field_classes = {"username": UsernameField}

    def clean_manager(self) -> Person | None:
        """Refuse a manager who is below the person."""
        manager: Person | None = self.cleaned_data["manager"]
        if self.instance.pk:
            actions.refuse_manager(person=self.instance, manager=manager)
        return manager


class NewPersonForm(PersonForm):
    """A new account. Nobody can sign in with it until its person has chosen a password."""

    def clean_username(self) -> str:
        """Refuse a name that differs by case alone from another's: two people would be taken for one."""
        username: str = self.cleaned_data["username"]
        if Person.objects.filter(in_any_case("username", username)).exists():
            raise ValidationError("Somebody has this username. Choose another one.")
        return username

    def save(self, commit: bool = True) -> Any:
        self.instance.set_unusable_password()
        return super().save(commit)


class ReasonForm(ActionForm):
    """What to do with the chosen ones, and why, where that is wanted."""

    reason = forms.CharField(label="Why", max_length=200, required=False)


@admin.register(Person)
class PersonAdmin(OfferedLookups, UserAdmin):  # type: ignore[type-arg]
    """Accounts: who they are, and whether they may sign in."""

    form = PersonForm
    add_form = NewPersonForm
    add_form_template = None

    list_display = ("username", "name", "email", "role", "location", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff", "location")
    search_fields = ("username", "name", "email", "external_id")
    ordering = ("username",)
    autocomplete_fields = ("manager",)
    readonly_fields = ("is_active", "last_login", "date_joined")
    actions = ("deactivate_chosen", "reactivate_chosen", "remove_names")
    action_form = ReasonForm
    fieldsets = (
        (None, {"fields": ("username",), "description": BY_LINK}),
        ("Person", {"fields": ("name", "email", "role", "location", "time_zone", "about", "manager")}),
        ("Provisioning", {"fields": ("external_id",)}),
        ("Account", {"fields": ("is_active", *POWERS), "description": NO_DELETION}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "name", "email"), "description": BY_LINK}),)

    def has_delete_permission(self, request: HttpRequest, obj: Person | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Person | None = None) -> tuple[str, ...]:
        """Only superusers hand out powers."""
        return (*self.readonly_fields, *(() if request.user.is_superuser else POWERS))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only rights to what these pages show can be given; there is none to what is a person's own."""
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "user_permissions" and field:
            kinds = [kind.pk for kind in ContentType.objects.get_for_models(*self.admin_site._registry).values()]
            field.queryset = field.queryset.filter(content_type__in=kinds).select_related("content_type")
        return field

    def save_model(self, request: HttpRequest, obj: Person, form: Any, change: bool) -> None:
        manager = obj.manager
        if change:
            obj.manager_id = Person.objects.values_list("manager", flat=True).get(pk=obj.pk)
        super().save_model(request, obj, form, change)
        if change:
            actions.appoint(person=obj, manager=manager)
        actions.people_changed()

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """One's own password is changed on one's own page; nobody else's is, whoever asks and whoever they are."""
        if id != str(request.user.pk):
            raise PermissionDenied("With a password comes what is a person's alone. manage.py invite lets them choose.")
        return redirect("admin:password_change")

    @admin.action(description="Deactivate (memberships end, nothing is deleted)", permissions=["change"])
    def deactivate_chosen(self, request: HttpRequest, queryset: QuerySet[Person]) -> None:
        ended = actions.deactivate(people=queryset.exclude(pk=request.user.pk or 0))
        messages.success(request, f"{ended} accounts deactivated. Your own account is never among them.")

    @admin.action(description="Give the account back (and its teams if a service ended it)", permissions=["change"])
    def reactivate_chosen(self, request: HttpRequest, queryset: QuerySet[Person]) -> None:
        for person in queryset:
            try:
                actions.reactivate(person=person)
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
            else:
                messages.success(request, f"Given back: {person.username}.")

    @admin.action(description="Remove the name of who left (write why)", permissions=["change"])
    def remove_names(self, request: HttpRequest, queryset: QuerySet[Person]) -> None:
        reason = one_line(request.POST.get("reason", ""))
        for person in queryset:
            try:
                holding = actions.remove_name(person=person, reason=reason)
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
                continue
            self.log_change(request, person, f"Name removed: {reason}")
            messages.success(request, "The name was removed; pages and search follow within a minute.")
            readable = Resource.objects.visible_to(Viewer.of(request.user)).select_related("source")
            if holding := list(readable.filter(pk__in=[row.pk for row in holding]).order_by("source", "title", "pk")):
                told = "; ".join(f"{row.source.name}: {row.title}" for row in holding)
                messages.warning(request, f"The name still stands in texts that only their source can change: {told}.")


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]
    """A team, which never stands beneath itself."""

    class Meta:
        model = Team
        fields = ("name", "slug", "parent", "external_id")

    def clean_parent(self) -> Team | None:
        """Refuse a team that is beneath this one."""
        parent: Team | None = self.cleaned_data["parent"]
        if self.instance.pk:
            actions.refuse_parent(team=self.instance, parent=parent)
        return parent

    def clean_external_id(self) -> str | None:
        """None is `None`: two teams may both have none."""
        return self.cleaned_data["external_id"] or None


@admin.register(Team)
class TeamAdmin(OfferedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    """Teams and where they stand; one that ever had a member is kept, for its history."""

    form = TeamForm
    list_display = ("path", "external_id", "until")
    actions = ("dissolve_chosen",)
    list_select_related = ("parent__parent__parent",)
    search_fields = ("name",)
    autocomplete_fields = ("parent",)
    prepopulated_fields = {"slug": ("name",)}

    def has_delete_permission(self, request: HttpRequest, obj: Team | None = None) -> bool:
        return obj is not None and super().has_delete_permission(request, obj) and not obj.memberships.exists()

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:
        """Save the rest, then let the team be renamed or moved with its history."""
        name, parent = obj.name, obj.parent
        if change:
            obj.name, obj.parent_id = Team.objects.values_list("name", "parent").get(pk=obj.pk)
        super().save_model(request, obj, form, change)
        if change:
            actions.place_team(team=obj, name=name, parent=parent)
        actions.people_changed(names=False)

    @admin.action(
        description="Dissolve (members leave it, teams beneath move up, its history stays)", permissions=["change"]
    )
    def dissolve_chosen(self, request: HttpRequest, queryset: QuerySet[Team]) -> None:
        for team in queryset.filter(until=None):
            actions.dissolve(team=team)
            self.log_change(request, team, "Dissolved")
        messages.success(request, "Dissolved.")


@admin.register(Membership)
class MembershipAdmin(OfferedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    """Who was in which team, from when until when; a membership ends with a date and is never deleted."""

    list_display = ("person", "team", "since", "until")
    list_select_related = ("person", "team")
    list_filter = ("team",)
    search_fields = ("person__username", "person__name", "team__name")
    autocomplete_fields = ("person", "team")

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        actions.people_changed(names=False)


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who gets a token, and for how long."""

    days = forms.IntegerField(
        label="Lasts, in days", min_value=1, max_value=tokens.LONGEST_DAYS, initial=tokens.LASTS.days
    )

    class Meta:
        model = ProvisioningToken
        fields = ("name",)


@admin.register(ProvisioningToken)
class ProvisioningTokenAdmin(OfferedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    """What lets provisioning services in: made by superusers, shown once, revoked here, kept as a record."""

    form = TokenForm
    list_display = ("name", "prefix", "state", "made_by", "made_at", "expires_at", "last_used_at")
    search_fields = ("name", "prefix")
    actions = ("revoke_chosen",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever has one makes, changes and ends accounts: that is a power."""
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: ProvisioningToken | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ProvisioningToken | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Ending one is for those who may make one."""
        return self.has_add_permission(request)

    def get_fields(self, request: HttpRequest, obj: ProvisioningToken | None = None) -> Any:
        return self.list_display if obj else ("name", "days")

    def save_model(self, request: HttpRequest, obj: ProvisioningToken, form: Any, change: bool) -> None:
        made, text = tokens.issue(name=obj.name, days=form.cleaned_data["days"], by=request.user)
        obj.__dict__.update(made.__dict__)
        obj.text = text  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show it here and now, and put it into no message, cookie or log."""
        address = request.build_absolute_uri(reverse("scim:users")).removesuffix("/Users")
        told = {**self.admin_site.each_context(request), "title": "Token made", "token": obj, "text": obj.text}
        return render(request, "experts/token_made.html", {**told, "address": address})

    @admin.action(description="Revoke (the service gets in no more)", permissions=["revoke"])
    def revoke_chosen(self, request: HttpRequest, queryset: QuerySet[ProvisioningToken]) -> None:
        for token in queryset:
            if tokens.revoke(token=token):
                self.log_change(request, token, "Revoked")
        messages.success(request, "Revoked.")


@admin.register(PeopleImport)
class PeopleImportAdmin(OfferedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    """Who brought people in from which file, and how much came of it; the files themselves are theirs alone."""

    list_display = ("name", "by", "started_at", "stage", "counts", "done_at", "error")
    list_select_related = ("by",)
    list_filter = ("stage",)
    search_fields = ("name", "by__username")
    fields = list_display

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PeopleImport | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PeopleImport | None = None) -> bool:
        return False

    @admin.display(description="What it did, or would do")
    def counts(self, row: PeopleImport) -> str:
        """The counts of its plan in words."""
        said = {"add": "added", "change": "changed", "leaver": "ended", "team": "new teams", "problem": "not read"}
        return ", ".join(f"{row.told[kind]} {word}" for kind, word in said.items() if row.told.get(kind))


admin.site.unregister(Group)


@admin.register(Group)
class PowersAdmin(OfferedLookups, GroupAdmin):
    """Sets of permissions, as Django has them."""
