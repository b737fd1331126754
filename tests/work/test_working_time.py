"""Working hours: by a person's own clock, outside their closed days, on any day that a calendar can have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experts import choices
from immersive.work.working_time import Clock, clock_of, clocks_of

LISBON = Clock("Europe/Lisbon")
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "done"),
    [
        (0, "2026-11-23 09:00"), (2.5, "2026-11-23 11:30"), (8, "2026-11-23 17:00"), (9, "2026-11-24 10:00"),
        (41, "2026-11-30 10:00"),
    ],
)  # fmt: skip
def test_hours_pass_from_nine_to_five_on_working_days(hours: float, done: str) -> None:
    assert f"{LISBON.after(MONDAY, hours):%Y-%m-%d %H:%M}" == done


def test_work_goes_on_when_the_day_does() -> None:
    assert LISBON.after(MONDAY.replace(hour=20), 1) == datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert LISBON.after(MONDAY + timedelta(days=5), 1) == datetime(2026, 11, 30, 10, tzinfo=UTC)
    tokyo = Clock("Asia/Tokyo")
    assert tokyo.after(MONDAY, 1) == datetime(2026, 11, 24, 1, tzinfo=UTC), "it is evening there"


def test_closed_days_are_no_working_days() -> None:
    away = Clock("UTC", ((date(2026, 11, 24), date(2026, 11, 27)),))
    assert away.after(MONDAY, 9) == datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert away.until(MONDAY, date(2026, 11, 27)) == 8
    for_ever = Clock("UTC", ((date.min, date.max),))
    assert for_ever.until(MONDAY, date(2027, 1, 1)) == 0
    assert for_ever.after(MONDAY, 1) == MONDAY


def test_hours_that_are_left_and_none_when_it_is_past() -> None:
    assert LISBON.until(MONDAY, date(2026, 11, 23)) == 8
    assert LISBON.until(MONDAY, date(2026, 11, 29)) == LISBON.until(MONDAY, date(2026, 11, 27)) == 40
    assert LISBON.until(MONDAY, date(2026, 11, 22)) == 0
    assert LISBON.until(MONDAY, date(1, 1, 1)) == 0
    assert LISBON.between(MONDAY, MONDAY + timedelta(days=1, hours=1)) == 9
    assert LISBON.between(MONDAY, MONDAY - timedelta(days=1)) == 0


def test_leap_days_and_the_week_between_two_years_have_their_hours() -> None:
    assert LISBON.until(datetime(2028, 2, 28, 9, tzinfo=UTC), date(2028, 2, 29)) == 16
    assert LISBON.until(datetime(2026, 12, 28, 9, tzinfo=UTC), date(2027, 1, 3)) == 40, "week 53"
    assert LISBON.after(datetime(2028, 2, 28, 16, tzinfo=UTC), 2) == datetime(2028, 2, 29, 10, tzinfo=UTC)
    assert LISBON.after(datetime(9999, 12, 31, 9, tzinfo=UTC), 400).year == 9999


def test_a_day_has_eight_hours_also_where_the_clock_is_put_back_or_forward() -> None:
    for friday in (date(2026, 10, 23), date(2026, 3, 27)):  # before a Sunday with 25 hours, and one with 23
        begins = datetime(friday.year, friday.month, friday.day, 9, tzinfo=ZoneInfo("Europe/Lisbon"))
        done = LISBON.after(begins, 16)
        assert (done.date() - friday).days == 3
        assert done.hour == 17
        assert LISBON.until(begins, friday + timedelta(days=3)) == 16


@settings(max_examples=60)
@given(
    st.integers(1_577_836_800, 2_208_988_800), st.floats(0, 300),
    st.sampled_from(["UTC", "Asia/Tokyo", "America/Sao_Paulo", "Nowhere/None", "Australia/Lord_Howe"]),
)  # fmt: skip
def test_as_many_hours_lie_between_as_have_passed(second: int, hours: float, zone: str) -> None:
    clock, now = Clock(zone), datetime.fromtimestamp(second, UTC)
    done = clock.after(now, hours)
    assert done >= now
    assert clock.between(now, done) == pytest.approx(hours, abs=1e-4)
    assert clock.between(now, done) <= clock.until(now, done.date()) + 1e-9


@pytest.mark.django_db
def test_a_persons_clock_is_as_they_say(make_person: Callable[..., Any], django_assert_num_queries: Any) -> None:
    ana, ben = make_person("ana"), make_person("ben")
    choices.introduce(person=ana, about="", time_zone="Asia/Tokyo")
    for since, until in ((date(2027, 1, 4), date(2027, 1, 8)), (date(2026, 12, 24), date(2026, 12, 31))):
        choices.close(person=ana, since=since, until=until)
    with django_assert_num_queries(1):
        clocks = clocks_of([ana, ben])
    assert clocks[ana.pk] == clock_of(ana)
    assert clocks[ana.pk].zone == "Asia/Tokyo"
    assert [since for since, _ in clocks[ana.pk].closed] == [date(2026, 12, 24), date(2027, 1, 4)]
    assert clocks[ben.pk].closed == ()
