"""Signing in, links for a first password, one's own password: who gets in, who waits, and what is never said."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.urls import reverse

from experts import actions
from experts.models import Person
from immersive.demo import MARK, PHRASE
from immersive.logs import NoTokens
from immersive.sign_in import ACCOUNT_LIMIT, ADDRESS_LIMIT, WINDOW, address_of

pytestmark = pytest.mark.django_db
RIGHT, NEW = "correct horse", "vertical kettle 9"


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def ana(make_person: Callable[..., Any]) -> Any:
    return make_person("ana", name="Ana Lima")


def sign_in(client: Client, username: str = "ana", password: str = RIGHT, **more: Any) -> Any:
    return client.post(reverse("sign-in"), {"username": username, "password": password}, **more)


def signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


# Guessing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["ana", "nobody-has-this"])
def test_an_account_waits_after_too_many_wrong_passwords(client: Client, ana: Any, username: str) -> None:
    for _ in range(ACCOUNT_LIMIT):
        assert sign_in(client, username, "wrong").status_code == 200
    for password, address in (("wrong", "127.0.0.1"), (RIGHT, "192.0.2.7")):
        answer = sign_in(client, username, password, REMOTE_ADDR=address)
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= WINDOW
        assert "Wait 15 minutes and try again" in answer.content.decode()
    assert not signed_in(client)


def test_the_wait_ends(client: Client, ana: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(ACCOUNT_LIMIT + 1):
        sign_in(client, password="wrong")
    assert sign_in(client).status_code == 429
    import time

    later = time.time() + WINDOW + 1
    monkeypatch.setattr("time.time", lambda: later)
    assert sign_in(client).status_code == 302


def test_other_spellings_of_a_name_are_the_same_account(client: Client, ana: Any) -> None:
    for number in range(ACCOUNT_LIMIT + 1):
        sign_in(client, "ANA" if number % 2 else "ana", "wrong")
    assert sign_in(client).status_code == 429


def test_a_right_password_forgets_the_wrong_ones(client: Client, ana: Any) -> None:
    for _ in range(2):
        for _ in range(ACCOUNT_LIMIT - 1):
            sign_in(client, password="wrong")
        assert sign_in(client).status_code == 302


def test_an_address_waits_and_others_do_not(client: Client, ana: Any) -> None:
    for number in range(ADDRESS_LIMIT):
        assert sign_in(client, f"name{number}", "wrong", REMOTE_ADDR="192.0.2.7").status_code == 200
    assert sign_in(client, REMOTE_ADDR="192.0.2.7").status_code == 429
    assert sign_in(client, REMOTE_ADDR="192.0.2.8").status_code == 302


def test_right_passwords_do_not_make_an_office_wait(client: Client, ana: Any) -> None:
    for _ in range(ADDRESS_LIMIT + 5):
        assert sign_in(client).status_code == 302


class BrokenCache:
    """A cache whose server is gone."""

    def __getattr__(self, name: str) -> Any:
        raise ConnectionError("no cache at secret-host")


def test_a_cache_that_is_down_stops_nobody(
    client: Client, ana: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("immersive.sign_in.cache", BrokenCache())
    for _ in range(ACCOUNT_LIMIT + 2):
        assert sign_in(client, "ana", "wrong").status_code == 200
    assert sign_in(client).status_code == 302
    assert "attempts are not counted, the cache does not answer: ConnectionError" in caplog.text


def test_nothing_that_was_typed_is_logged_or_cached(client: Client, ana: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(ACCOUNT_LIMIT + 2):
        sign_in(client, "zyxwv-typed", "zyxwv-secret")
    assert "zyxwv" not in caplog.text
    assert cache._cache  # type: ignore[attr-defined]
    assert "zyxwv" not in str(cache._cache)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [(0, "203.0.113.5", "192.0.2.1"), (1, "203.0.113.5", "203.0.113.5"), (1, "9.9.9.9, 203.0.113.5", "203.0.113.5"),
     (2, "9.9.9.9, 203.0.113.5, 10.0.0.1", "203.0.113.5"), (1, "", "192.0.2.1"), (1, "rubbish", "192.0.2.1"),
     (1, "2001:db8:1:2:3::4", "2001:db8:1:2::/64"), (1, "::ffff:203.0.113.5", "203.0.113.5")],
)  # fmt: skip
def test_where_a_request_comes_from(settings: LazySettings, proxies: int, forwarded: str, expected: str) -> None:
    settings.PROXIES = proxies
    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert address_of(request) == expected


# The operator's pages -------------------------------------------------------------------------------------------


def test_the_operators_pages_have_no_sign_in_of_their_own(client: Client, make_person: Any) -> None:
    make_person("operator", is_staff=True, is_superuser=True)
    data = {"username": "operator", "password": RIGHT, "next": "/operate/"}
    for answer in (client.get("/operate/login/"), client.post("/operate/login/", data)):
        assert answer["Location"] == "/sign-in?next=/operate/"
    assert not signed_in(client)
    assert (
        client.get("/operate/login/?next=/operate/experts/team/")["Location"] == "/sign-in?next=/operate/experts/team/"
    )
    assert client.get("/operate/login/?next=https://evil.example/")["Location"] == "/sign-in?next=/operate/"
    assert client.post("/sign-in?next=/operate/", data)["Location"] == "/operate/"
    assert client.get("/operate/").status_code == 200
    assert client.get("/operate/login/")["Location"] == "/operate/"
    assert client.get("/operate/password_change/")["Location"] == reverse("password")


def test_a_long_search_comes_back_after_the_sign_in(client: Client, ana: Any) -> None:
    address = "/search?q=" + "word+" * 1800
    asked = client.get(address)["Location"]
    page = client.get(asked)
    assert address in page.content.decode()
    data = {"username": "ana", "password": RIGHT, "next": address}
    assert client.post("/sign-in", data)["Location"] == address
    elsewhere = "https://evil.example/?" + "word+" * 1800
    assert client.post("/sign-in", data | {"next": elsewhere})["Location"] == "/"


def test_whoever_has_to_sign_in_comes_back_to_the_page_and_never_to_a_form_or_elsewhere(client: Client) -> None:
    page, form = "http://testserver/tasks/new?q=pump", reverse("work:new")
    way = "/sign-in?next=/tasks/new%3Fq%3Dpump"
    assert client.get("/tasks/new?q=pump")["Location"] == way
    assert client.post(form, headers={"Referer": page})["Location"] == way
    part = client.post(form, headers={"HX-Request": "true", "HX-Current-URL": page})
    assert (part.status_code, part["Location"]) == (401, way), "htmx would swap a page that a redirect leads to"
    for elsewhere in ("https://evil.example/", "http://testserver//evil.example", "http://[", ""):
        assert client.post(form, headers={"Referer": elsewhere})["Location"] == "/sign-in?next=/"


def test_a_search_too_long_to_come_back_to_says_so(client: Client) -> None:
    client.cookies["theme"] = "dark"
    answer = client.get("/search?q=" + "a" * 20_000)
    assert answer.status_code == 400
    assert "Sign in first, then go back" in answer.content.decode()
    assert 'data-theme="dark"' in answer.content.decode()


def test_who_may_not_operate_is_told_so(client: Client, ana: Any) -> None:
    client.force_login(ana)
    assert client.get("/operate/", follow=True).status_code == 403


# Links ----------------------------------------------------------------------------------------------------------


def invite(*names: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("invite", *names, stdout=out, stderr=out, **options)
    return out.getvalue()


def link(said: str) -> str:
    found: list[str] = re.findall(r"http://127\.0\.0\.1:8000(/password/set/\S+)", said)
    return found[-1]


def choose(client: Client, address: str, password: str = NEW) -> Any:
    form = client.get(address)
    if form.status_code != 302:
        return form
    return client.post(form["Location"], {"new_password1": password, "new_password2": password})


@pytest.fixture
def new(db: None) -> Person:
    person = Person(username="new", name="New Person")
    person.set_unusable_password()
    person.save()
    return person


def test_a_link_gives_a_first_password_once(client: Client, new: Person) -> None:
    address = link(invite("new"))
    assert choose(client, address)["Location"] == reverse("sign-in")
    assert not signed_in(client), "who holds a link proves to know the password, too"
    assert "Your password is set" in client.get(reverse("sign-in")).content.decode()
    assert choose(Client(), address, "another kettle 8").status_code == 404
    assert sign_in(client, "new", NEW).status_code == 302
    assert signed_in(client)


def test_pages_about_passwords_are_kept_nowhere_and_tell_no_token(client: Client, new: Person, ana: Any) -> None:
    address = link(invite("new"))
    token = address.rstrip("/").rpartition("/")[2]
    first = client.get(address)
    assert token not in first["Location"]
    page = client.get(first["Location"])
    html = page.content.decode()
    assert token not in html
    assert "For the account <b>new</b>" in html
    short = client.post(first["Location"], {"new_password1": "zyxwv", "new_password2": "zyxwv"})
    assert "too short" in short.content.decode()
    assert "zyxwv" not in short.content.decode()
    client.force_login(ana)
    for answer in (first, page, short, client.get(address + "x"), client.get(reverse("password"))):
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "same-origin"


def test_what_was_typed_is_hidden_from_reports(client: Client, new: Person, ana: Any) -> None:
    client.force_login(ana)
    first = client.get(link(invite("new")))
    for address in (reverse("password"), first["Location"]):
        answer = client.post(address, {"new_password1": "x"})
        assert vars(answer.wsgi_request)["sensitive_post_parameters"] == "__ALL__"


def test_tokens_are_taken_out_of_logs(client: Client, new: Person, caplog: pytest.LogCaptureFixture) -> None:
    address = link(invite("new"))
    token = address.rstrip("/").rpartition("/")[2]
    caplog.set_level(logging.DEBUG)
    assert choose(client, address).status_code == 302
    assert client.get(address).status_code == 404
    assert Client(enforce_csrf_checks=True).post(address).status_code in (403, 404)
    assert "password/set/…" in caplog.text
    assert token not in caplog.text
    record = logging.LogRecord("x", 30, "", 0, "Oh: %s %s", (f"GET {address}?a=b HTTP/1.1", 1), None)
    assert NoTokens().filter(record)
    assert record.getMessage() == "Oh: GET /password/set/…?a=b HTTP/1.1 1"
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            assert any(isinstance(each, NoTokens) for each in handler.filters)


def test_who_has_signed_in_gets_a_link_only_when_asked_again(client: Client, ana: Any) -> None:
    before = link(invite("ana"))
    sign_in(client)
    assert choose(Client(), before).status_code == 404, "a link that nobody used ends with the first sign-in"
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 got no link"):
        call_command("invite", "ana", stdout=out, stderr=out)
    assert "private" in out.getvalue()
    assert "--again" in out.getvalue()
    assert "http://" not in out.getvalue()
    assert choose(Client(), link(invite("ana", again=True))).status_code == 302
    assert not signed_in(client), "a new password ends the sessions of the old one"


@pytest.mark.parametrize("name", ["ghost", "left"])
def test_who_is_not_here_gets_no_link(make_person: Any, new: Person, name: str) -> None:
    make_person("left", is_active=False)
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 got no link"):
        call_command("invite", name, "new", "new", stdout=out, stderr=out, site="https://portal.example.org/")
    assert re.findall(r"(\w+)  https://portal\.example\.org/password/set/", out.getvalue()) == ["new"]


@pytest.mark.parametrize("site", ["portal.example.org", "ftp://x", "https://", "https://x?y=1", ""])
def test_an_address_that_is_none_is_refused(new: Person, site: str) -> None:
    with pytest.raises(CommandError, match="Write it as https"):
        invite("new", site=site)


def test_deactivation_ends_links_for_good(client: Client, new: Person) -> None:
    address = link(invite("new"))
    actions.deactivate(people=[new])
    assert choose(client, address).status_code == 404
    actions.reactivate(person=new)
    assert choose(client, address).status_code == 404


@pytest.mark.parametrize("where", ["x/y", "MQ/set-password", "MQ/a-b", "%00/a-b", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OQ/a-b"])
def test_links_that_never_were_do_not_work(client: Client, ana: Any, where: str) -> None:
    answer = client.get(f"/password/set/{where}/")
    assert answer.status_code == 404
    assert "ask for a new link" in answer.content.decode() or where.startswith("%")


# One's own password ---------------------------------------------------------------------------------------------


def test_ones_own_password_needs_the_old_one_and_ends_other_sessions(client: Client, ana: Any) -> None:
    elsewhere = Client()
    elsewhere.force_login(ana)
    assert client.get(reverse("password"))["Location"].startswith(reverse("sign-in"))
    sign_in(client)
    assert f'href="{reverse("password")}"' in client.get("/").content.decode()
    data = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    assert client.post(reverse("password"), data).status_code == 200
    answer = client.post(reverse("password"), data | {"old_password": RIGHT}, follow=True)
    assert "Your password is changed" in answer.content.decode()
    assert signed_in(client)
    assert not signed_in(elsewhere)
    assert Person.objects.get().check_password(NEW)


def test_guesses_of_the_old_password_are_counted_with_those_of_the_sign_in(client: Client, ana: Any) -> None:
    sign_in(client)
    data = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    for _ in range(ACCOUNT_LIMIT):
        assert client.post(reverse("password"), data).status_code == 200
    for password in ("wrong", RIGHT):
        answer = client.post(reverse("password"), data | {"old_password": password})
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= WINDOW
        assert "Wait 15 minutes and try again" in answer.content.decode()
    assert Person.objects.get().check_password(RIGHT)
    assert sign_in(Client()).status_code == 429


def test_a_right_old_password_forgets_the_wrong_ones(client: Client, ana: Any) -> None:
    sign_in(client)
    data = {"old_password": "wrong", "new_password1": "short", "new_password2": "short"}
    for _ in range(2):
        for _ in range(ACCOUNT_LIMIT - 1):
            assert client.post(reverse("password"), data).status_code == 200
        assert client.post(reverse("password"), data | {"old_password": RIGHT}).status_code == 200
    assert client.post(reverse("password"), data | {"old_password": ""}).status_code == 200


def test_who_has_no_password_is_told_the_way_to_one(client: Client, new: Person) -> None:
    client.force_login(new)
    html = client.get(reverse("password")).content.decode()
    assert "for a link" in html
    assert 'type="password"' not in html


# Accounts that end ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["password", "demo"])
def test_a_session_of_before_stays_ended(client: Client, ana: Any, settings: LazySettings, kind: str) -> None:
    password = RIGHT
    if kind == "demo":
        settings.DEVELOPMENT = True
        settings.AUTHENTICATION_BACKENDS = ["immersive.demo.signin.DemoBackend"]
        ana.external_id, password = f"{MARK}ana", PHRASE
        ana.set_unusable_password()
        ana.save()
    assert sign_in(client, password=password).status_code == 302
    assert signed_in(client)
    actions.deactivate(people=[ana])
    actions.reactivate(person=ana)
    assert not signed_in(client)
    assert sign_in(client, password=password).status_code == 302, "the password is still theirs"
    assert signed_in(client)


def test_a_file_that_ends_an_account_ends_its_sessions(client: Client, ana: Any) -> None:
    from experts.directory.plan import import_people

    sign_in(client)
    for active in ("no", "yes"):
        plan = import_people(f"username,name,active\nana,Ana Lima,{active}\n".encode())
        assert not plan.problems
    assert Person.objects.get().is_active
    assert not signed_in(client)
