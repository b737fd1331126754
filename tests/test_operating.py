"""What operators rely on: probes, files that only they read, and a compose file that can set everything."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("host", ["localhost", "10.0.0.7", "portal.example.com"])
def test_probes_are_answered_whatever_the_name_and_without_https(settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get("/health", headers={"host": host})
    assert (answer.status_code, answer.content) == (200, b"ok")


def test_files_of_an_installation_are_its_owners_alone(tmp_path: Path) -> None:
    code = "from django.conf import settings; settings.VAR_DIR; import django; django.setup()"
    env = {"IMMERSIVE_VAR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "immersive.settings", "PATH": "/usr/bin"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, check=True, timeout=60)
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0", "sessions"], cwd=ROOT, env=env, check=True, timeout=120
    )
    made = [tmp_path / "var", *(tmp_path / "var").rglob("*")]
    assert any(path.suffix == ".sqlite3" for path in made)
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_compose_can_set_what_an_operator_needs() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    given = set(compose["x-app"]["environment"])
    read = set(re.findall(r"""env(?:\.\w+)?\(\s*"([A-Z_]+)\"""", (ROOT / "immersive/settings.py").read_text()))
    embedded_only = {"DEVELOPMENT", "DEBUG", "IMMERSIVE_VAR"}
    assert read - given - embedded_only == set()
    assert {"web", "worker", "indexer", "beat", "postgres", "redis"} <= set(compose["services"])
    for name, service in compose["services"].items():
        assert name == "migrate" or "healthcheck" in service, f"{name} has no health check"
