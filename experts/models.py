"""Who is here: people, teams, and who belonged to which team when."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Exists, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat, Lower
from django.db.models.lookups import Exact
from django.urls import reverse
from django.utils import timezone

from experts.directory.history import TeamQuerySet, lasted
from knowledge.documents import EVERYONE
from knowledge.models import Source

if TYPE_CHECKING:
    from knowledge.access import Viewer


FORMER = "A former colleague"

_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")

_ROW_NUMBER = re.compile("[1-9][0-9]{0,17}")


def one_line(text: str) -> str:
    """Text on one line, without control characters and without those that turn the writing around them."""
    return " ".join(_UNSHOWABLE.sub(" ", text).split())


def in_any_case(field: str, text: str) -> Q:
    """That a field says this, in any case that the database folds; found by an index on `Lower`, if there is one."""
    return Q(Exact(Lower(field), Lower(Value(text))))


def _hidden() -> Exists:
    """That a person chose not to be found."""
    return Exists(Availability.objects.filter(person=models.OuterRef("pk"), hidden=True))


def _may_know(viewer: Viewer) -> Q:
    """That the viewer may know who works here: they may read the people source, or there is none to narrow."""
    sources = Source.objects.filter(kind="people")
    return Q(Exists(Source.objects.visible_to(viewer).filter(kind="people")) | ~Exists(sources))


class PersonQuerySet(models.QuerySet["Person"]):
    """People by who looks."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Who has an account in use and is not hidden, for those who may read the people source; and oneself.

        Where there is no people source that could be narrowed, anybody signed in.
        The people source holds everybody with an account in use, for one
        audience: so this asks for the source and not for each person's
        document, and newcomers need not wait for its next sync.
        """
        if not viewer.person_id:
            return self.none()
        return self.filter(Q(pk=viewer.person_id) | _may_know(viewer) & ~_hidden(), is_active=True)

    def former(self, viewer: Viewer) -> Self:
        """Who has left and was not hidden, for those who may know who works here."""
        if not viewer.person_id:
            return self.none()
        return self.filter(_may_know(viewer), ~_hidden(), is_active=False)

    def findable(self) -> Self:
        """Who has an account in use and did not choose to be hidden: nobody else is proposed to anybody."""
        return self.filter(~_hidden(), is_active=True)

    def named(self, text: str) -> Self:
        """Those whose name contains the text, in any of the cases that people type (SQLite folds A to Z only)."""
        found = Q()
        for form in {text, text.lower(), text.upper(), text.title()}:
            found |= Q(name__icontains=form) | Q(name="", last_name__icontains=form)
            found |= Q(name="", first_name__icontains=form)
        return self.filter(found) if text else self

    def by_team(self) -> Self:
        """Each once, with ``team`` (the name of the team they have been in longest), in that order; teamless last."""
        teams = Membership.objects.current().filter(person=models.OuterRef("pk")).order_by("since", "pk")
        return self.annotate(team=models.Subquery(teams.values("team__name")[:1])).order_by(
            models.F("team").asc(nulls_last=True), Lower("name"), "username"
        )


class PersonManager(UserManager["Person"]):
    """Makes accounts; `visible_to` is the way to read them on behalf of somebody."""

    use_in_migrations = False

    def get_queryset(self) -> PersonQuerySet:
        return PersonQuerySet(self.model, using=self._db)

    def visible_to(self, viewer: Viewer) -> PersonQuerySet:
        """As `PersonQuerySet.visible_to`."""
        return self.get_queryset().visible_to(viewer)

    def former(self, viewer: Viewer) -> PersonQuerySet:
        """As `PersonQuerySet.former`."""
        return self.get_queryset().former(viewer)

    def findable(self) -> PersonQuerySet:
        """As `PersonQuerySet.findable`."""
        return self.get_queryset().findable()


class Person(AbstractUser):
    """Somebody who works here, with an account.

    ``external_id`` is what the organisation's own systems call this person; a
    provisioning service that deleted them sees them no more (``taken_out_at``).
    ``about`` and ``role`` are shown to colleagues; nothing that a person says of
    their own skill on a task is ever stored here.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    external_id = models.CharField(max_length=254, null=True, blank=True, db_index=True, default=None)
    email = models.EmailField(blank=True, db_index=True)
    name = models.CharField(max_length=200, blank=True, help_text="As this person writes it.")
    role = models.CharField(max_length=120, blank=True)
    about = models.TextField(blank=True, max_length=2000)
    location = models.CharField(max_length=120, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    sign_outs = models.PositiveIntegerField(
        default=0, editable=False, help_text="How often all sessions of this account were ended."
    )
    taken_out_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the provisioning service deleted this person."
    )
    name_marks = models.JSONField(
        default=list, editable=False, help_text="What a name that was removed is recognised by, without being kept."
    )
    name_removed = models.BooleanField(
        default=False, editable=False, help_text="Left, and asked that their name be shown nowhere any more."
    )
    manager = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="reports")

    objects: ClassVar[PersonManager] = PersonManager()

    class Meta(AbstractUser.Meta):
        verbose_name, verbose_name_plural = "person", "people"
        indexes = [  # who is meant by a name or an address that a service or an operator wrote, in any case
            models.Index(Lower("username"), name="person_by_username"),
            models.Index(Lower("email"), name="person_by_email"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """The name as shown to colleagues."""
        if self.name_removed:
            return FORMER
        return one_line(self.name) or one_line(self.get_full_name()) or self.username

    @property
    def known_as(self) -> str:
        """Whose words these are: the name stays beside them when somebody leaves, until they want it removed."""
        if self.is_active:
            return self.display_name
        return FORMER if self.name_removed else f"{self.display_name} (former colleague)"

    @property
    def initials(self) -> str:
        """One or two letters that stand in for a picture."""
        parts = [part for part in self.display_name.split() if part[0].isalnum()]
        return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper() or "?"

    def get_session_auth_hash(self) -> str:
        """What a session must hold to be this person's; one that began before the last of ``sign_outs`` does not."""
        return f"{super().get_session_auth_hash()}.{self.sign_outs}"

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """As `get_session_auth_hash`, by the keys that the installation had before."""
        for known in super().get_session_auth_fallback_hash():
            yield f"{known}.{self.sign_outs}"

    def audience_tokens(self) -> tuple[frozenset[str], QuerySet[Any, str]]:
        """What this person may read by: everyone's and their own; and one token for each team they are in today.

        The latter are a question, not asked yet, so that it can be part of a larger one.
        """
        teams = self.memberships.current().annotate(token=Concat(Value("team:"), Cast("team_id", models.CharField())))
        return frozenset({EVERYONE, f"person:{self.pk}"}), teams.values_list("token", flat=True)

    @staticmethod
    def token_is_of_somebody(token: str) -> bool:
        """Whether the token is written as `audience_tokens` writes them and means a person or team that exists."""
        kind, _, number = token.partition(":")
        owners: dict[str, type[models.Model]] = {"person": Person, "team": Team}
        if kind not in owners or not _ROW_NUMBER.fullmatch(number):
            return token == EVERYONE
        return owners[kind]._default_manager.filter(pk=int(number)).exists()

    def get_absolute_url(self) -> str:
        return reverse("experts:person", args=[self.public_id])


class Team(models.Model):
    """People who work together; teams form one hierarchy."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=120, unique=True, allow_unicode=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    external_id = models.CharField(max_length=254, null=True, blank=True, unique=True, default=None)
    since = models.DateTimeField(default=timezone.now, editable=False)
    until = models.DateTimeField(null=True, editable=False, help_text="When it was dissolved.")

    objects: ClassVar[Any] = TeamQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """The names from the top of the hierarchy down, ``A / B``; load parents with ``select_related``."""
        names, seen = [self.name], {self.pk}
        above = self.parent
        while above is not None and above.pk not in seen:
            names.append(above.name)
            seen.add(above.pk)
            above = above.parent
        return " / ".join(reversed(names))


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Memberships by time."""

    def with_path(self) -> MembershipQuerySet:
        """In the order they began, with what `Team.path` reads."""
        return self.select_related("team__parent__parent__parent").order_by("since", "pk")

    def current(self) -> MembershipQuerySet:
        """Those that hold now; who left a team has lost its rights with the row's ``until``."""
        return self.as_of(timezone.now())

    def as_of(self, moment: datetime) -> MembershipQuerySet:
        """Those that held at the moment."""
        return self.filter(lasted(moment))


class Membership(models.Model):
    """That a person was in a team from ``since`` until ``until`` (open: still is)."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True)
    comes_back = models.BooleanField(
        default=False, editable=False, help_text="Closed as a service ended the account: opened when it is given back."
    )

    objects: ClassVar[Any] = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "team"], condition=Q(until=None), name="one_open_membership")
        ]


# Rows of this package that stand in a file of their own and name those above.
from experts.asking.asks import Answer, Ask, Joined, Later, SealOpened, Thanks, Turn  # noqa: E402, F401
from experts.choices import Availability, Closed, Disowned, OwnTopic  # noqa: E402, F401
from experts.communities import Follow  # noqa: E402, F401
from experts.directory.history import Placement, Reporting  # noqa: E402, F401
from experts.directory.imports import PeopleImport  # noqa: E402, F401
from experts.directory.tokens import ProvisioningToken  # noqa: E402, F401
from experts.mentoring.mentorships import Invitation, Mentorship, Offer, Wish  # noqa: E402, F401
from experts.notices import Digest, Notice  # noqa: E402, F401
from experts.teams.proposals import Place, Proposal  # noqa: E402, F401
from experts.welcome import Met  # noqa: E402, F401
