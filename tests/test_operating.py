"""What operators rely on: probes, files that only they read, and a compose file that can set everything."""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import re
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from experts.models import Team
from immersive import static
from immersive.management.commands.run import commands
from tests.chaos.portal import free_port

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("host", ["localhost", "10.0.0.7", "portal.example.com"])
def test_probes_are_answered_whatever_the_name_and_without_https(settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get("/health", headers={"host": host})
    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.slow
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


def test_gunicorn_is_started_the_same_way_everywhere() -> None:
    how = "-c python:immersive.serving"
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert how in compose["services"]["web"]["command"]
    assert how in (ROOT / "Dockerfile").read_text().replace('", "', " ")
    assert how in " ".join(commands("127.0.0.1", 8000)["web"])


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the gunicorn of this module writes."""
    return tmp_path_factory.mktemp("log") / "gunicorn.log"


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory: pytest.TempPathFactory, log: Path) -> Iterator[int]:
    """The port of a gunicorn as people have it; as in every test, static files are those of the checkout."""
    run = "import pytest, sys; from gunicorn.app.wsgiapp import run; run()"
    place, port = tmp_path_factory.mktemp("gunicorn"), free_port()
    command = [sys.executable, "-c", run, "-c", "python:immersive.serving", "--bind", f"127.0.0.1:{port}",
               "--workers", "1", "--log-level", "warning", "immersive.wsgi"]  # fmt: skip
    env = {"IMMERSIVE_VAR": str(place), "DJANGO_SETTINGS_MODULE": "immersive.settings", "PATH": "/usr/bin"}
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=file, stderr=file)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            assert process.poll() is None, f"gunicorn ended: {log.read_text()}"
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def ask(port: int, path: str, **headers: str) -> tuple[int, str]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        with connection.getresponse() as answer:
            return answer.status, answer.read().decode()


def test_the_longest_search_fits_into_an_address(gunicorn: int) -> None:
    from knowledge.index.language import MAX_TEXT

    address = "/sign-in?q=" + quote("語" * MAX_TEXT)
    status, page = ask(gunicorn, address, HX_Current_URL=f"http://127.0.0.1{address}")
    assert (status, "Sign in" in page) == (200, True)


@pytest.mark.parametrize("length", [170_000, 20_000_000])
def test_an_address_that_is_longer_gets_a_page_that_says_the_way_on(gunicorn: int, length: int) -> None:
    status, page = ask(gunicorn, "/search?q=" + "a" * length)
    assert status == 414
    assert "what you typed or pasted is still there" in page
    assert ask(gunicorn, "/health") == (200, "ok")


def test_a_header_that_is_too_long_is_refused_as_gunicorn_does(gunicorn: int) -> None:
    assert ask(gunicorn, "/health", X_Odd="a" * 170_000)[0] == 431


@pytest.mark.parametrize(
    "request_of",
    [
        "GET /search?q={} pump HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /search?q=pump {} HTTP/1.1\r\nHost: x\r\n\r\n",
        "{} /search HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /search?q={}\r\n\r\n",
        "GET /search HTTP/1.1\r\nHost: x\r\nReferer: /search?q={}\x00\r\n\r\n",
        "GET /search HTTP/1.1\r\nHost: x\r\nR({}): y\r\n\r\n",
        "POST /search?q={} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{}\r\n",
    ],
)
def test_a_request_that_cannot_be_read_leaves_no_word_of_a_search_in_the_log(
    gunicorn: int, log: Path, request_of: str
) -> None:
    """Promise 15. The log says that there was one."""
    before = len(log.read_bytes())
    with contextlib.closing(socket.create_connection(("127.0.0.1", gunicorn), timeout=30)) as connection:
        connection.sendall(request_of.replace("{}", "UNSPEAKABLE").encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 40"), answer[:200]
    said = log.read_bytes()[before:].decode()
    assert "unspeakable" not in said.lower()


# Static files -----------------------------------------------------------------------------------------------------


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Path:
    """A folder of static files, and a place of their own to collect them in."""
    (tmp_path / "from").mkdir()
    (tmp_path / "from/one.css").write_text("a{}")
    settings.STATICFILES_DIRS = [tmp_path / "from"]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    return tmp_path / "from"


def test_static_files_are_collected_when_they_changed_and_only_then(files: Path, tmp_path: Path) -> None:
    assert static.collect()
    assert not static.collect()
    one = files / "one.css"
    one.write_text("b{}")
    os.utime(one, (1, 1))  # older than what was collected, as after going back to a former version
    assert static.collect()
    assert not static.collect()
    (tmp_path / "static/staticfiles.json").unlink()
    assert static.collect()


def test_what_no_page_asks_for_is_collected_by_no_command() -> None:
    out = io.StringIO()
    call_command("collectstatic", interactive=False, dry_run=True, verbosity=2, stdout=out)
    assert "admin/css/base.css" in out.getvalue()
    assert "rest_framework/" not in out.getvalue()
    assert "i18n/de.js" not in out.getvalue()


def test_operators_pages_open_with_the_files_that_are_served(
    settings: Any, tmp_path: Path, client: Client, make_person: Any
) -> None:
    backend = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": backend}
    settings.STATIC_ROOT = tmp_path / "static"
    call_command("collectstatic", interactive=False, verbosity=0)
    operator = make_person("sue", is_staff=True, is_superuser=True)
    client.force_login(operator)
    rows = [operator, Team.objects.create(name="Pumps")]
    models = [model._meta for model in admin.site._registry]
    pages = [reverse(f"admin:{of.app_label}_{of.model_name}_{kind}") for of in models for kind in ("changelist", "add")]
    pages += [reverse(f"admin:experts_{row._meta.model_name}_change", args=[row.pk]) for row in rows]
    opened = [client.get(page).status_code for page in pages]
    assert set(opened) <= {200, 302, 403}, "led to a page of its own, or added by nobody's hand"
    assert opened.count(200) > len(models)


def test_compose_can_set_what_an_operator_needs() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    given = set(compose["x-app"]["environment"])
    read = set(re.findall(r"""env(?:\.\w+)?\(\s*"([A-Z_]+)\"""", (ROOT / "immersive/settings.py").read_text()))
    embedded_only = {"DEVELOPMENT", "DEBUG", "IMMERSIVE_VAR"}
    assert read - given - embedded_only == set()
    assert {"web", "worker", "indexer", "beat", "postgres", "redis"} <= set(compose["services"])
    for name, service in compose["services"].items():
        once = service.get("restart") == "no"  # it does its work and ends
        assert once or "healthcheck" in service, f"{name} has no health check"
