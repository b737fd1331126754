"""What can be found: sources, resources, who may read them, and how they were searched."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Prefetch, Q, Value, When
from django.urls import reverse
from django.utils import timezone

from knowledge.audiences import Audience, AudienceToken, may_read
from knowledge.documents import EVERYONE, KINDS
from knowledge.durable import Work, WorkQuerySet
from knowledge.questions import Blank, Question

if TYPE_CHECKING:
    from knowledge.access import Viewer

http_only = URLValidator(schemes=["http", "https"])


def findable() -> models.QuerySet[Any]:
    """Accounts that may be named to colleagues, as the user model says."""
    users: Any = get_user_model()
    found: models.QuerySet[Any] = users.objects.findable()
    return found


class Topic(models.Model):
    """What a resource is about, one row per spelling: no document shows how another one writes it.

    ``slug`` is what spellings of one topic share (`index.analysis.topic_key`).
    """

    slug = models.SlugField(max_length=80, allow_unicode=True)
    name = models.CharField(max_length=80, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SourceQuerySet(models.QuerySet["Source"]):
    """Sources by who looks."""

    def visible_to(self, viewer: Viewer | None) -> Self:
        """Active sources whose audience the viewer belongs to, now."""
        return self.filter(may_read(viewer, "audience"), active=True)

    def changed(self) -> Self:
        """Sources that are open to others than those for whom their documents were indexed and repeated."""
        return self.filter(
            ~Q(audience=F("indexed_audience")) | ~Q(active=F("indexed_active")), indexed_audience__isnull=False
        )


class Source(models.Model):
    """Where resources come from: a connector's kind, an address, and who may read it."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=32, help_text="What reads it: a folder, a website, a wiki, …")
    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=120, unique=True, allow_unicode=True)
    address = models.CharField(max_length=500, blank=True)
    options = models.JSONField(default=dict, blank=True)
    audience = models.ForeignKey(Audience, on_delete=models.PROTECT, related_name="sources")
    trusts_emails = models.BooleanField(
        default=False, help_text="Authors' e-mail addresses in this source are checked by somebody, not free text."
    )
    every = models.DurationField(default=timedelta(hours=1), help_text="How often to look for changes.")
    active = models.BooleanField(default=True)
    cursor = models.JSONField(default=dict, blank=True, editable=False)
    indexed_active = models.BooleanField(default=True, editable=False)
    indexed_audience = models.ForeignKey(
        Audience, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = SourceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "address"], condition=~Q(address=""), name="one_source_per_address")
        ]

    def __str__(self) -> str:
        return self.name


HOW_TO_NAME_SOMEBODY = (
    "Write everyone, team:7 or person:12, with the number that stands in the address of that team's or person's "
    "page under Operate."
)


class SourceGroup(models.Model):
    """Who is meant by a group that a source names: whoever holds ``token`` of ours."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=120)
    token = models.CharField(max_length=200, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "name", "token"], name="one_group_token")]

    def __str__(self) -> str:
        return f"{self.source}: “{self.name}” is {self.token}"

    def clean(self) -> None:
        """Refuse a token that nobody holds: those who were meant would never see the pages, nor learn why."""
        if not get_user_model().token_is_of_somebody(self.token):
            raise ValidationError({"token": f"This means nobody. {HOW_TO_NAME_SOMEBODY}"})


class SyncRun(Work):
    """One look at one source, counted. It is work to do until it is done (see `durable`)."""

    LEASE = timedelta(seconds=60)

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="runs")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    seen = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    failures = models.JSONField(default=list, help_text="The first hundred [key, reason] pairs.")

    objects: ClassVar[Any] = WorkQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["source", "-created_at"])]
        constraints = [
            models.UniqueConstraint(fields=["source"], condition=Q(done_at=None), name="one_open_run_per_source")
        ]


# Written so that both databases recognise the conditions of the partial indexes in the queries.
AUDIENCE_MOVED = Q(audience__lt=F("indexed_audience")) | Q(audience__gt=F("indexed_audience"))
UNSETTLED = Q(index_hash__lt=F("settled")) | Q(index_hash__gt=F("settled"))
NOT_KNOWN = "?"
"""No hash is this one: of a row with it nobody knows what the index holds."""


ANSWERS, LESSONS = "answers", "lessons"
REPEATING = (ANSWERS, LESSONS)
"""The kinds of source whose documents repeat topics of others."""


class ResourceQuerySet(models.QuerySet["Resource"]):
    """Resources by who looks. Every read on behalf of a person goes through `visible_to`."""

    def alive(self) -> Self:
        """Those that their source still has."""
        return self.filter(gone_at=None)

    def visible_to(self, viewer: Viewer | None) -> Self:
        """Alive, in an active source that the viewer may read, and not narrowed away from them."""
        mine = self.alive().filter(may_read(viewer, "audience"), may_read(viewer, "source__audience"))
        return mine.filter(source__active=True)

    def with_verification(self) -> Self:
        """With who vouches for them until when; of who is not to be found, no name (one query more)."""
        owners = findable()
        return self.select_related("verification").prefetch_related(Prefetch("verification__owner", owners))

    def behind(self) -> Self:
        """Rows whose indexed audience is not the database's: left out of the index's answers until written again."""
        return self.filter(AUDIENCE_MOVED)

    def unsettled(self) -> Self:
        """Rows that the settled generation may not hold as they are (see `indexing.pending`): a short index."""
        return self.filter(UNSETTLED)

    def naming(self) -> Self:
        """Those whose topics are their own: documents about people, answers and lessons repeat the topics of others."""
        return self.exclude(kind="person").exclude(source__kind__in=REPEATING)

    def telling_too_much(self, viewer: Viewer, changed: Sequence[int] | None = None, *, moved: bool = True) -> Self:
        """Documents about people, answers and lessons that may repeat what is not this viewer's any more.

        They repeat titles and topics of others. From the moment when one of
        those, or its source, is open to others than before, until the index and
        the source of people, answers or lessons have followed, they are left out. What
        a viewer could never read leaves out nothing, else its changes would show: a
        person's document tells what was everyone's alone, and an answer or a lesson
        tells nothing new to whoever knows its topics from elsewhere.
        ``changed``: the sources that have, and ``moved``: whether any row is behind, if that is known.
        """
        if changed is None:
            changed = list(Source.objects.changed().values_list("pk", flat=True))
        if not changed and not moved:
            return self.none()
        rows = self.model.objects.behind().alive().values("pk")
        withdrawn = Q(resource__in=rows) | Q(resource__source__in=changed)
        everyones = AudienceToken.objects.filter(token=EVERYONE).values("audience")
        told = Contribution.objects.filter(
            withdrawn, resource__indexed_audience__in=everyones, resource__source__indexed_audience__in=everyones
        ).exclude(person=None)
        topics = self.model.topics.through.objects
        lost = topics.filter(withdrawn).values("topic")
        theirs = self.model.objects.visible_to(viewer)
        repeated = topics.filter(resource__in=theirs.filter(source__kind__in=REPEATING), topic__in=lost).values("topic")
        known = theirs.naming().filter(topics=OuterRef("pk"))
        unknown = Topic.objects.filter(~Exists(known), pk__in=repeated).values("pk")
        said = topics.filter(topic__in=unknown, resource__source__kind__in=REPEATING)
        about = list(told.values_list("person", flat=True).distinct())
        return self.filter(Q(about__in=about) | Q(pk__in=list(said.values_list("resource", flat=True).distinct())))


class Resource(models.Model):
    """Anything findable: a page, a tool, a course, a video, an answer, a lesson, a person.

    A resource that vanished from its source is a tombstone: ``gone_at`` is
    set and title, body, facts and contributions are erased, so that a link to
    it answers 404 and nothing of it stays.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="resources")
    key = models.CharField(max_length=500)
    version = models.CharField(max_length=200, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    kind = models.CharField(max_length=16, choices=[(kind, kind) for kind in KINDS], default="page")
    title = models.CharField(max_length=400)
    body = models.TextField(blank=True)
    url = models.CharField(max_length=2000, blank=True, validators=[http_only])
    crumbs = models.JSONField(default=list, blank=True)
    language = models.CharField(max_length=12, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    topics = models.ManyToManyField(Topic, related_name="resources", blank=True)
    concerns = models.ManyToManyField("self", symmetrical=False, related_name="concerned_by", blank=True)
    """What a lesson is about: it shows above these."""
    audience = models.ForeignKey(Audience, on_delete=models.PROTECT, related_name="resources")
    created = models.DateTimeField(null=True, blank=True)
    updated = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    about = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    gone_at = models.DateTimeField(null=True, blank=True)
    seen_in = models.BigIntegerField(null=True, editable=False)

    # What the index should hold, what it is known to hold, and whose audience (see `indexing`).
    index_hash = models.CharField(max_length=64, blank=True, editable=False)
    settled = models.CharField(max_length=64, default=NOT_KNOWN, editable=False)
    indexed_audience = models.ForeignKey(
        Audience, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )

    objects: ClassVar[Any] = ResourceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="one_resource_per_key")]
        indexes = [
            models.Index(fields=["source", "gone_at"]),
            models.Index(fields=["-updated"]),
            models.Index(fields=["public_id"], name="resource_behind", condition=AUDIENCE_MOVED),
            models.Index(fields=["id"], name="resource_unsettled", condition=UNSETTLED),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("knowledge:resource", args=[self.public_id])


# What every search asks (see `questions`); SOURCES and CONFIRMED answer for the ``tokens`` of a viewer.

SOURCES = Question(lambda: Source.objects.visible_to(None).annotate(edition=Edition.objects.now()))
"""With each source the `Edition` of what this process may keep in memory: asked here, it costs no question more."""
MOVED = Question(
    lambda: (
        Resource.objects.behind()
        .values_list("public_id", "source_id", "gone_at")
        .union(
            Source.objects.changed().values_list(
                Value(None, models.UUIDField()), "pk", Value(None, models.DateTimeField())
            ),
            all=True,
        )
    )
)
"""Every row behind (public id, source, when it went), and every source that has changed (nothing, source, nothing)."""
OWNER = ("id", "name", "first_name", "last_name", "username")
"""What a result shows of whoever vouches for it."""
CONFIRMED = Question(
    lambda: (
        Resource.objects.visible_to(None)
        .filter(public_id__in=Blank("keys", "uuid"))
        .annotate(verified=F("verification"), verified_until=F("verification__until"))
        .annotate(suspended_at=F("verification__suspended_at"))
        .annotate(**{f"owner_{name}": F(f"verification__owner__{name}") for name in OWNER})
        .annotate(named=Exists(findable().filter(pk=OuterRef("verification__owner"))))
    )
)
"""The resources of these ``keys``, with what is said of their verification; ``named``: who vouches may be found."""


class Contribution(models.Model):
    """Who worked on a resource, as its source says; ``person`` once `experts` is sure who that is."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="contributions")
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="contributions"
    )
    share = models.FloatField(default=1.0)
    changes = models.PositiveIntegerField(default=1)
    first = models.DateTimeField(null=True, blank=True)
    last = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["email"]), models.Index(fields=["name"])]


class Indexed(models.Model):
    """What one generation of the index holds of one resource: the hash that was written."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="indexed")
    generation = models.CharField(max_length=40)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["generation", "resource"], name="one_hash_per_generation")]


class IndexStamp(models.Model):
    """The last batch written to one generation, and the one being written: a restored backup shows here.

    ``settled``: what `Resource.settled` says is said of this generation; of one at most.
    """

    generation = models.CharField(max_length=40, primary_key=True)
    stamp = models.CharField(max_length=40, blank=True)
    next_stamp = models.CharField(max_length=40, blank=True)
    settled = models.BooleanField(default=False)


STANDS_UNTIL = Case(When(verification__suspended_at=None, then=F("verification__until")))
"""Of a resource: the last day on which somebody vouches for it, while nothing suspends that."""


class Verification(models.Model):
    """Somebody vouches for a resource until a date."""

    resource = models.OneToOneField(Resource, on_delete=models.CASCADE, related_name="verification")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="verifications"
    )
    verified_at = models.DateTimeField(default=timezone.now)
    until = models.DateField()
    suspended_at = models.DateTimeField(null=True, blank=True)
    """Since when it counts for nothing, as a lesson concerns the resource (see `verifying`)."""


class Search(models.Model):
    """One search of one person: theirs alone, in no admin, log or job argument."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="searches")
    text = models.CharField(max_length=300)
    total = models.PositiveIntegerField(default=0)
    took_ms = models.FloatField(default=0)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["person", "-at"]), models.Index(fields=["at"])]


class Among(models.Model):
    """Something that was done to a resource, and whose it was to read at that moment: it tells nobody else anything."""

    among = models.ForeignKey(Audience, null=True, editable=False, on_delete=models.SET_NULL, related_name="+")
    among_source = models.ForeignKey(Audience, null=True, editable=False, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        abstract = True


class Click(Among):
    """A result that a person opened from a search."""

    search = models.ForeignKey(Search, on_delete=models.CASCADE, related_name="clicks")
    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="clicks")
    rank = models.PositiveSmallIntegerField(default=0)


class Verdict(Among):
    """Whether a resource helped one person, as they said: theirs alone, in no admin, and taken back at will."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="verdicts")
    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="verdicts")
    helped = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "resource"], name="one_verdict_per_person")]


# Rows of this package that stand in a file of their own and name those above.
from knowledge.edition import Edition, Pin, Standing, Synonym  # noqa: E402, F401
from knowledge.frameworks import Framework, FrameworkName, FrameworkTopic  # noqa: E402, F401
from knowledge.gaps import Gap  # noqa: E402, F401
from knowledge.live_sources import LiveHealth, LiveSource  # noqa: E402, F401
from knowledge.meaning.rows import Embedding, Vector, VectorStamp  # noqa: E402, F401
from knowledge.verifying import Suspension  # noqa: E402, F401
from knowledge.waiting import WaitingSearch  # noqa: E402, F401
