"""The demo company: Alderhearth, an invented maker and servicer of bakery ovens. For development only.

Its content stands under ``company/`` and is read through the same connectors
as any other. Its people have no password: `signin.DemoBackend` lets them in
with one phrase while ``DEVELOPMENT`` is set, so that an installation that
stops being one for development has no door left open.
"""

from __future__ import annotations

from pathlib import Path

COMPANY = Path(__file__).resolve().parent / "company"

MARK = "demo:"
"""How the external id of every demo person begins: nobody else is ever let in by the phrase."""

PHRASE = "bread-before-dawn"

SHOWN = (
    ("priya.nandekar", "knowledge worker", "field engineer, with tasks and a learning log"),
    ("tove.lindqvarn", "manager", "leads Field Service"),
    ("idris.callowen", "curator", "document controller, looks after the sources"),
    ("emeka.obiwande", "operator", "superuser, and in search no more than a colleague"),
)


def sign_ins() -> list[str]:
    """What a person at the terminal needs to try the portal, line by line."""
    lines = [f"Demo sign-ins, all with the password {PHRASE}"]
    lines += [f"  {username:<16} {role:<17} {about}" for username, role, about in SHOWN]
    return [*lines, "  and everybody else of its People page, by first name.last name"]
