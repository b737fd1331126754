"""Web sites and feeds keep the connector contract, read from a real server on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from tests.contracts.connectors import ConnectorContract, Place
from tests.contracts.web_places import Feed, JsonFeed, MappedSite, Site
from tests.loopback import Web, serving


@pytest.fixture
def web(settings: LazySettings) -> Iterator[Web]:
    """A web server on loopback that may be fetched from."""
    server = Web()
    settings.FETCH_ALLOW = [f"127.0.0.1/32:{server.port}"]
    with serving(server):
        yield server


class TestCrawl(ConnectorContract):
    """From a start page, by links."""

    @pytest.fixture
    def place(self, web: Web) -> Place:
        return Site(web)


class TestSitemap(ConnectorContract):
    """By a sitemap."""

    @pytest.fixture
    def place(self, web: Web) -> Place:
        return MappedSite(web)


class TestAtom(ConnectorContract):
    """An Atom feed."""

    @pytest.fixture
    def place(self, web: Web) -> Place:
        return Feed(web)


class TestJsonFeed(ConnectorContract):
    """A JSON feed."""

    @pytest.fixture
    def place(self, web: Web) -> Place:
        return JsonFeed(web)
