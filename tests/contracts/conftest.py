"""The engine that is compared with the default one."""

from __future__ import annotations

import pytest

from knowledge import index


@pytest.fixture(params=["whoosh", pytest.param("opensearch", marks=pytest.mark.opensearch)])
def other(request: pytest.FixtureRequest) -> index.Engine:
    """An empty index of another engine than tantivy."""
    if request.param == "opensearch":
        request.getfixturevalue("on_opensearch")
    return index.in_memory(request.param)
