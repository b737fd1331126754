"""Rules of the house that a machine can see."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import migrations
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("experts", "knowledge", "work")

TOP = {
    "manage.py", "immersive", "knowledge", "experts", "templates", "static", "tests", "docker-compose.yml",
    "pyproject.toml", "README.md", "Makefile", "requirements.lock", "requirements-dev.lock",
    "requirements-model.lock", "Dockerfile", "LICENSE", "CHANGELOG.md", "docs", "var",
}  # fmt: skip

INLINE = re.compile(r"""<style|\sstyle=|<script(?![^>]*\bsrc=)|\son[a-z]+=|javascript:|hx-on""", re.IGNORECASE)


def test_the_top_level_stays() -> None:
    assert {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} <= TOP


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_migration_can_be_undone() -> None:
    for (label, name), migration in MigrationLoader(None, ignore_no_migrations=True).disk_migrations.items():
        if label in OURS:
            for operation in migration.operations:
                assert operation.reversible, f"{label}.{name}: {operation}"
                assert not isinstance(operation, migrations.RunSQL) or operation.reverse_sql


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_templates_have_no_inline_style_or_script(path: Path) -> None:
    found = INLINE.search(path.read_text())
    assert not found, f"{path.relative_to(ROOT)}: {found and found[0]} breaks under the content security policy"


def test_every_setting_is_documented() -> None:
    names = set(re.findall(r"""env(?:\.\w+)?\(\s*"([A-Z_]+)\"""", (ROOT / "immersive/settings.py").read_text()))
    documented = (ROOT / "docs/operating.md").read_text()
    assert len(names) > 10
    assert {name for name in names if f"`{name}`" not in documented} == set()


def test_the_map_of_the_house_names_every_module() -> None:
    named = set(re.findall(r"`(?:\w+/)?(\w+)/?`", (ROOT / "docs/architecture.md").read_text()))
    apart = {"management", "migrations"}
    modules = {path.stem for path in (ROOT / "knowledge").rglob("*.py") if not apart & set(path.parts)}
    assert modules - named == set()


def test_private_rows_are_in_no_admin() -> None:
    from django.contrib import admin

    registered = {model.__name__ for model in admin.site._registry}
    private = {model.__name__ for model in apps.get_app_config("work").get_models()}
    private |= {"Search", "Click", "Verdict", "WaitingSearch", "Follow", "Met"}
    private |= {"Wish", "Mentorship", "Invitation", "Proposal", "Place", "Notice", "Digest", "Turn", "Joined"}
    assert registered & private == set()


@pytest.mark.parametrize("suffix", ["*.py", "*.md", "*.html", "*.yml", "*.toml", "*.lock"])
def test_no_file_names_a_machine_or_a_registry(suffix: str) -> None:
    for path in ROOT.rglob(suffix):
        if not {".venv", ".tools", "var", ".git"} & set(path.parts):
            text = path.read_text(errors="replace")
            assert not re.search(r"://[a-z.]*(pypi|pythonhosted|npmjs)\b|/wo[r]k/(main|shared)|/hom[e]/", text), path
