"""Web sites and feeds keep the connector contract, read from a real server on loopback."""

from __future__ import annotations

import pytest

from tests.contracts.connectors import ConnectorContract, Place
from tests.contracts.web_places import Feed, JsonFeed, MappedSite, Site
from tests.loopback import Web


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
