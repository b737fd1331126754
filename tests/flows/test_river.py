"""The whole river over HTTP, with real files, database and index: from a written page to the learning log."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from immersive.work.models import LearningEntry
from knowledge import actions, indexing
from knowledge.models import Click, Search
from tests.flows.canary import sync

PAGE = """---
title: Descaling the kettle
topics: [kitchen]
authors: [Ana Lima <ana@example.com>]
---

# Descaling the kettle

Fill it with equal parts of vinegar and water. Boil, and wait for twenty minutes.
"""


@pytest.mark.django_db(transaction=True)
def test_from_a_file_to_the_learning_log(tmp_path: Path, make_person: Any) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "kettle.md").write_text(PAGE)
    make_person("ana", name="Ana Lima", email="ana@example.com")
    make_person("ben", name="Ben Okafor")
    source = actions.add_source(kind="folder", address=str(pages), name="Kitchen", trusts_emails=True)
    assert sync(source).added == 1
    indexing.index_changes()

    browser = Client()
    assert browser.get("/search", {"q": "kettle"}).status_code == 302, "nothing without a sign-in"
    signed_in = browser.post("/sign-in", {"username": "ben", "password": "correct horse"})
    assert (signed_in.status_code, signed_in.headers["Location"]) == (302, "/")

    found = browser.get("/search", {"q": "how do I descale a kettle"}).content.decode()
    assert "1 result" in found
    assert "<mark>" in found
    address = re.search(r'href="(/r/[^"]+)" data-main', found)
    assert address
    page = browser.get(address[1].replace("&amp;", "&")).content.decode()
    assert "wait for twenty minutes" in page
    assert "Ana Lima" in page
    assert Search.objects.get().person.username == "ben"
    assert Click.objects.get().rank == 1

    started_from = re.search(r"/tasks/new\?from=([0-9a-f-]{36})", page)
    assert started_from
    task = browser.post("/tasks/new", {"statement": "Descale the office kettle", "started_from": started_from[1]})
    assert task.status_code == 302
    here = task.headers["Location"]
    assert "How sure are you" in browser.get(here).content.decode()
    assert browser.post(f"{here}assessment", {"confidence": "70"}).status_code == 302
    assert [topic.name for topic in LearningEntry.objects.get(event="assessed").topics.all()] == ["kitchen"]
    assert browser.post(f"{here}outcome", {"result": "1.0"}).status_code == 302
    log = browser.get("/tasks/mirror").content.decode()
    assert log.count("Descale the office kettle") == 1
    assert "It worked" in log
    told = browser.get(here).content.decode()
    assert "xpect it to go well" in told

    other = Client()
    other.force_login(type(Search.objects.get().person).objects.get(username="ana"))
    assert other.get(here).status_code == 404
