"""What is suggested while somebody types: which names, in which order, and from whose documents."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings

from knowledge.access import Viewer
from knowledge.documents import Document
from knowledge.models import Resource, Search
from knowledge.typeahead import Group, marked, suggest
from tests import small_company
from tests.small_company import source_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(settings: LazySettings, make_person: Any) -> Any:
    """Ana, in the company of `small_company`; Cléo is another."""
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    people = {
        "ana": make_person("ana", name="Ana Ferreira", role="Shift engineer"),
        "ben": make_person("ben", name="Ben Okafor", role="Mechanic"),
        "cleo": make_person("cleo", name="Cléo Martin"),
    }
    small_company.build(people)
    small_company.index()
    return people["ana"]


def told(groups: tuple[Group, ...]) -> dict[str, list[str]]:
    return {group.name: [one.text for one in group.suggestions] for group in groups}


def suggested(text: str, person: Any) -> dict[str, list[str]]:
    return told(suggest(text, Viewer.of(person)))


def test_names_topics_and_tools_stand_in_groups(ana: Any) -> None:
    assert suggested("pump", ana) == {
        "pages": ["Pump hydraulics for operators", "Priming a feed pump", "Salary bands of the pump crew"],
        "topics": ["Pumps"],
    }
