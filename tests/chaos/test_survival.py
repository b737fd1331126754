"""Promises 23 and 24 (first versions): work that was committed is done, once, whatever is killed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from immersive.management.commands.run import commands
from tests.chaos.portal import Portal, command_of, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.chaos]

JOBS = 500
KILLS = 20

START = """
from experts.models import Person
from immersive.work import actions
person, _ = Person.objects.get_or_create(username="ana", defaults={{"name": "Ana"}})
for number in range({count}):
    task = actions.start_task(owner=person, statement=f"Task {{number}}")
    actions.assess(task=task, owner=person, confidence=70)
print("written")
"""


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    portal = Portal(tmp_path)
    portal.start()
    yield portal
    portal.stop()


def test_ctrl_c_and_sigterm_end_everything(tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        portal = Portal(tmp_path)
        portal.start()
        own = wait_for(lambda portal=portal: len(portal.descendants()) >= 5 and portal.descendants(), 30, "all started")
        assert portal.stop(number) == 0
        assert [command_of(pid) for pid in own if command_of(pid)] == []
        assert not portal.answers()


def test_a_killed_child_is_started_again_without_orphans(portal: Portal) -> None:
    def leaders() -> dict[str, int]:
        found = {}
        for pid in portal.descendants():
            with suppress(ProcessLookupError):
                if os.getpgid(pid) == pid:
                    found[command_of(pid)] = pid
        return found

    all_of_them = len(commands("127.0.0.1", 0))
    before = wait_for(lambda: len(leaders()) == all_of_them and leaders(), 60, f"all {all_of_them} programs run")
    for command, pid in before.items():
        family = [child for child in portal.descendants() if os.getpgid(child) == pid]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda command=command, pid=pid: leaders().get(command, pid) != pid, 60, f"{command} runs again")
        assert [command_of(child) for child in family if command_of(child)] == [], f"orphans of {command}"
    wait_for(portal.answers, 60, "the web server answers again")


def test_promises_23_and_24_five_hundred_jobs_and_twenty_kills(portal: Portal) -> None:
    chance = random.Random(23)
    portal.shell(START.format(count=JOBS // 2))
    killed = 0
    while killed < KILLS:
        if killed == KILLS // 2:
            portal.shell(START.format(count=JOBS - JOBS // 2))
        victims = portal.descendants()
        if victims:
            os.kill(chance.choice(victims), signal.SIGKILL)
            killed += 1
        time.sleep(chance.uniform(0.2, 1.0))
    wait_for(
        lambda: portal.ask("SELECT COUNT(*) FROM work_logwork WHERE done_at IS NOT NULL") == JOBS,
        240,
        "every assessment is logged",
    )
    assert portal.ask("SELECT COUNT(*) FROM work_assessment") == JOBS
    entries = "SELECT COUNT(*) FROM work_learningentry WHERE event = 'assessed'"
    assert portal.ask(entries) == JOBS
    assert portal.ask("SELECT COUNT(DISTINCT task_id) FROM work_learningentry WHERE event = 'assessed'") == JOBS


def test_a_sync_survives_kill_9(portal: Portal, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in range(3000):
        (pages / f"{number:04}.md").write_text(f"# Page {number}\n\nAbout kettle number {number}.\n")
    portal.manage("add_source", "folder", str(pages), "--later")
    alive = "SELECT COUNT(*) FROM knowledge_resource WHERE gone_at IS NULL"
    for stored in (300, 1200):
        wait_for(lambda stored=stored: portal.ask(alive) >= stored, 180, f"{stored} pages are stored")
        for pid in portal.descendants():
            if " worker " in command_of(pid):
                os.kill(pid, signal.SIGKILL)
    wait_for(
        lambda: portal.ask("SELECT COUNT(*) FROM knowledge_syncrun WHERE done_at IS NOT NULL") >= 1, 240, "the run ends"
    )
    assert portal.ask(alive) == 3000
    assert portal.ask("SELECT added FROM knowledge_syncrun ORDER BY id LIMIT 1") == 3000
    waiting = "SELECT COUNT(*) FROM knowledge_resource r WHERE gone_at IS NULL AND NOT EXISTS (SELECT 1 FROM knowledge_indexed i WHERE i.resource_id = r.id AND i.hash = r.index_hash)"  # noqa: E501
    wait_for(lambda: portal.ask(waiting) == 0, 120, "everything is indexed")
