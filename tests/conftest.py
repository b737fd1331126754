"""What every test may use: the real database, the real engine in a folder of its own, real people."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from hypothesis import settings as hypothesis_settings

from immersive.celery import app as celery_app
from knowledge.index.opensearch_client import cluster
from knowledge.meaning import looking
from tests.loopback import Web, serving
from tests.services.opensearch import Cluster, options, running
from tests.services.relay import Relay, relaying

hypothesis_settings.register_profile("untimed", deadline=None)  # a machine that is busy fails no test
hypothesis_settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def rested() -> None:
    """No model rests because it failed in another test."""
    looking._resting.clear()


@pytest.fixture(autouse=True)
def own_place(settings: LazySettings, tmp_path: Path) -> Iterator[None]:
    """Index, broker and folder roots of this test alone; jobs run in the test's own process."""
    settings.VAR_DIR = tmp_path / "var"
    settings.INDEX_DIR = tmp_path / "index"
    settings.CACHES = {  # what one test counts (wrong passwords) is not another's, whichever cache is installed
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": str(tmp_path)}
    }
    settings.FOLDER_ROOTS = [tmp_path]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CELERY_TASK_ALWAYS_EAGER = celery_app.conf.task_always_eager = True
    yield
    celery_app.conf.task_always_eager = False


@pytest.fixture
def make_person(db: None) -> Callable[..., Any]:
    """Make a person with an account: ``make_person("ana", name="Ana", teams=[team])``."""
    from experts.models import Membership, Person

    def make(username: str, *, teams: tuple[Any, ...] = (), password: str = "correct horse", **fields: Any) -> Any:
        person = Person.objects.create_user(username, password=password, **fields)
        for team in teams:
            Membership.objects.create(person=person, team=team)
        return person

    return make


@pytest.fixture
def web(settings: LazySettings) -> Iterator[Web]:
    """A web server on loopback that may be fetched from."""
    server = Web()
    settings.FETCH_ALLOW = [f"127.0.0.1/32:{server.port}"]
    with serving(server):
        yield server


@pytest.fixture(scope="session")
def opensearch() -> Iterator[Cluster]:
    """One real node for the whole run; tests that use it bear the marker ``opensearch``."""
    with running(1) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def opensearch_knn() -> Iterator[Cluster]:
    """One real node that has the k-NN plugin."""
    with running(1, knn=True) as cluster:
        yield cluster


@pytest.fixture
def on_opensearch(opensearch: Cluster, settings: LazySettings) -> Iterator[Cluster]:
    """Settings choose the third engine, on that node, with indices of this test alone."""
    with _chosen(opensearch, settings):
        yield opensearch


@pytest.fixture
def on_knn(opensearch_knn: Cluster, settings: LazySettings) -> Iterator[Cluster]:
    """The same on the node that has the k-NN plugin."""
    with _chosen(opensearch_knn, settings):
        yield opensearch_knn


@contextmanager
def _chosen(nodes: Cluster, settings: LazySettings) -> Iterator[None]:
    prefix = f"test-{uuid.uuid4().hex[:12]}"
    options(settings, addresses=nodes.addresses, prefix=prefix)
    settings.SEARCH_ENGINE = "opensearch"
    yield
    nodes.ask(f"/{prefix}-*?expand_wildcards=all", method="DELETE")


@pytest.fixture
def relay(on_opensearch: Cluster, settings: LazySettings) -> Iterator[Relay]:
    """The third engine as `on_opensearch`, but all that is said passes a relay, which may go wrong."""
    with relaying(on_opensearch.addresses[0]) as between:
        options(settings, addresses=[between.address])
        yield between
        cluster((between.address,), "", "", "").close()
