"""What the contract of engines is told with: documents, keys, and a base that chooses the engine."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings

from knowledge import index
from knowledge.documents import EVERYONE, IndexDocument, Query, Scope
from knowledge.index import Matches, generations

ALL = Scope(frozenset({1, 2}), frozenset({EVERYONE}))


def doc(key: str, title: str = "", body: str = "", **fields: Any) -> IndexDocument:
    fields.setdefault("audience", frozenset({EVERYONE}))
    fields.setdefault("public", EVERYONE in fields["audience"])
    fields.setdefault("source", 1)
    fields.setdefault("kind", "page")
    return IndexDocument(key=key, title=title or key, body=body, **fields)


def keys(matches: Matches) -> set[str]:
    assert matches.total >= len(matches.candidates)
    return {candidate.key for candidate in matches.candidates}


class OfOneEngine:
    """Tests of one engine: inherit and name its alias in the settings."""

    alias: str

    @pytest.fixture(autouse=True)
    def chosen(self, settings: LazySettings, request: pytest.FixtureRequest) -> None:
        settings.SEARCH_ENGINE = self.alias
        if self.alias == "opensearch":
            request.getfixturevalue("on_opensearch")

    @pytest.fixture
    def engine(self) -> index.Engine:
        return index.in_memory()

    @pytest.fixture
    def serving(self) -> str:
        """A generation on disk, empty and serving."""
        generation = generations.begin()
        generations.promote(generation)
        return generation

    def found(self, engine: index.Engine, *words: str, scope: Scope = ALL, **more: Any) -> set[str]:
        return keys(engine.search(Query(words=words, **more), scope))
