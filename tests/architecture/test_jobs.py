"""Every job names its queue and its limits, and is one delegating line."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from immersive.celery import app

ROOT = Path(__file__).resolve().parent.parent.parent
app.loader.import_default_modules()
OURS = {name: job for name, job in app.tasks.items() if not name.startswith("celery.")}


def test_there_are_jobs() -> None:
    assert {"knowledge.jobs.sync_source", "knowledge.jobs.index_changes", "knowledge.jobs.sweep"} <= set(OURS)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_job_names_its_queue_and_its_limits(name: str) -> None:
    job: Any = OURS[name]
    assert app.amqp.router.route({}, name)["queue"].name in ("work", "index", "meaning")
    assert any(name == route or name.startswith(route.rstrip("*")) for route in app.conf.task_routes)
    assert 0 < job.soft_time_limit < job.time_limit


def test_what_beat_sends_exists() -> None:
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(OURS)


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/**/jobs.py")), ids=str)
def test_a_job_only_delegates(path: Path) -> None:
    if ".venv" in path.parts or "tests" in path.parts:
        pytest.skip("not ours: a library's module")
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            body = [line for line in node.body if not isinstance(line, ast.Expr | ast.ImportFrom) or _calls(line)]
            assert len(body) == 1, f"{node.name} does more than delegate"
            for argument in node.args.args:
                assert isinstance(argument.annotation, ast.Name), f"{node.name} takes more than primitive values"
                assert argument.annotation.id in ("int", "str", "Any"), f"{node.name}: {argument.annotation.id}"


def _calls(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)
