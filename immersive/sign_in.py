"""Signing in, and choosing one's own password.

Wrong passwords are counted by account and by address, in the cache, so that
nobody can go on guessing. A cache that is down counts nothing and stops
nobody: then the portal says so in its log and goes on. A name that nobody
bears is counted as any other, so the answer tells nothing about who is here.
The cache holds digests only and the log holds no word: people type passwords
into the field for the name.
"""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.password_validation import password_validators_help_texts
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils.crypto import salted_hmac
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from experts.models import Person

logger = logging.getLogger(__name__)

WINDOW = 15 * 60
"""Seconds in which wrong passwords are counted, and for which an account or an address then waits."""
ACCOUNT_LIMIT = 10
ADDRESS_LIMIT = 100
"""Higher, because a whole office may come from one address."""


class Attempts:
    """The attempts to sign in to one account from one address."""

    def __init__(self, username: str, address: str) -> None:
        self._account = _key("account", username.casefold())
        self._address = _key("address", address)

    def begin(self) -> int:
        """Count one attempt before its password is looked at; the seconds to wait, 0 when it may go on.

        Counted first, so that many at once do not all pass before the first is found wrong.
        """
        try:
            now = time.time()
            waits: dict[str, float] = cache.get_many([f"{self._account}:until", f"{self._address}:until"])
            if waits:
                return max(1, math.ceil(max(waits.values()) - now))
            for key, limit in ((self._account, ACCOUNT_LIMIT), (self._address, ADDRESS_LIMIT)):
                if _count(key) > limit:
                    cache.set(f"{key}:until", now + WINDOW, WINDOW)
                    cache.delete(key)
                    return WINDOW
        except Exception as error:  # a cache may fail in any way it likes: people still get to work
            logger.warning("sign-in: attempts are not counted, the cache does not answer: %s", type(error).__name__)
        return 0

    def succeeded(self) -> None:
        """Forget what was counted for the account; of the address, this attempt alone."""
        try:
            cache.delete(self._account)
            cache.decr(self._address)
        except ValueError:
            return  # the window has ended meanwhile
        except Exception as error:
            logger.warning("sign-in: the cache does not answer: %s", type(error).__name__)


def _key(kind: str, text: str) -> str:
    return f"sign-in:{kind}:{salted_hmac('immersive.sign_in', text, algorithm='sha256').hexdigest()}"


def _count(key: str) -> int:
    cache.add(key, 0, WINDOW)
    try:
        return int(cache.incr(key))
    except ValueError:  # it ended between the two
        cache.set(key, 1, WINDOW)
        return 1


def address_of(request: HttpRequest | None) -> str:
    """Where a request comes from, as the outermost of our own proxies saw it; a network's half of IPv6 addresses."""
    if request is None:
        return ""
    told: list[str] = [request.META.get("REMOTE_ADDR", "")]
    if settings.PROXIES:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        told = [*hops[-settings.PROXIES :][:1], *told]
    try:
        address = ipaddress.ip_address(told[0])
    except ValueError:
        return told[-1]
    if address.version == 6:
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def is_ours(address: str, hosts: set[str] | None = None, *, secure: bool = False) -> bool:
    """Whether an address leads to this site. What it asks there leads nowhere, so a search of any length passes."""
    return url_has_allowed_host_and_scheme(address.partition("?")[0], hosts, require_https=secure)


class CountingForm:
    """A form that asks for a password; too many wrong ones make an account, or an address, wait."""

    wait = 0

    def begin(self, username: str, request: HttpRequest | None) -> Attempts:
        """Count this attempt before the password is looked at; raises `ValidationError` when it must wait."""
        attempts = Attempts(username, address_of(request))
        self.wait = attempts.begin()
        if self.wait:
            minutes = math.ceil(self.wait / 60)
            raise ValidationError(
                f"Too many wrong passwords. Wait {minutes} minute{'' if minutes == 1 else 's'} and try again. "
                "If you do not remember yours, ask whoever looks after this installation for a new link.",
                code="wait",
            )
        return attempts


class Waits:
    """What the views of counting forms answer to who must wait."""

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        if form.wait:
            response.status_code = 429
            response["Retry-After"] = str(form.wait)
        return response


class SignInForm(CountingForm, AuthenticationForm):
    """Name and password."""

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if username is None or not password:
            return super().clean()
        attempts = self.begin(username, self.request)
        cleaned: dict[str, Any] = super().clean()
        attempts.succeeded()
        return cleaned


class SignIn(Waits, views.LoginView):
    """The one place where one signs in, the operator's pages included."""

    form_class = SignInForm
    template_name = "immersive/sign_in.html"

    def get_redirect_url(self) -> str:  # type: ignore[override]  # the stubs are of an older Django
        """The page that was asked for, however long its address is."""
        name = self.redirect_field_name
        asked: str = self.request.POST.get(name, self.request.GET.get(name, ""))
        return asked if is_ours(asked, self.get_success_url_allowed_hosts(), secure=self.request.is_secure()) else ""


class SignInFirst(LoginRequiredMiddleware):
    """Whoever has to sign in comes back to the page that they were on.

    The address of a form, or of a part of a page, is no page to come back to.
    htmx would swap the sign-in into the page, so it gets 401 with the way there.
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        """The way to the sign-in, and from there to the page."""
        part = request.headers.get("HX-Request") == "true"
        if request.method in ("GET", "HEAD") and not part:
            return super().handle_no_permission(request, view_func)
        try:
            page = urlsplit(request.headers.get("HX-Current-URL", request.headers.get("Referer", "")))
        except ValueError:  # whatever somebody sends, who is not known yet
            page = urlsplit("")
        asked = page.path + (f"?{page.query}" if page.query else "")
        ours = page.netloc == request.get_host() and is_ours(asked)
        way = redirect_to_login(asked if ours else reverse("home"))
        return HttpResponse("Sign in first.", status=401, headers={"Location": way["Location"]}) if part else way


@login_not_required
def to_operate(request: HttpRequest) -> HttpResponse:
    """Where Django's operator pages have a sign-in of their own: to ours, which counts."""
    if request.user.is_authenticated and not request.user.is_staff:
        raise PermissionDenied("This account may not see the operator's pages.")
    asked = request.GET.get(REDIRECT_FIELD_NAME, "")
    place = asked if is_ours(asked, {request.get_host()}) else reverse("admin:index")
    return redirect(place) if request.user.is_authenticated else redirect_to_login(place)


# One's own password -----------------------------------------------------------------------------------------------


class LinkTokens(PasswordResetTokenGenerator):
    """Tokens of set-password links: they end with the first sign-in, a new password, and the account's deactivation."""

    key_salt = "immersive.sign_in.LinkTokens"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.is_active}{user.sign_outs}"


link_tokens = LinkTokens()


class PlainHelp:
    """What a new password must be, as one text: the components show help in a paragraph, where a list has no place."""

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)  # type: ignore[misc]
        form.fields["new_password1"].help_text = " ".join(password_validators_help_texts())
        return form


class ChangePasswordForm(CountingForm, PasswordChangeForm):
    """The old password and a new one; old ones that are wrong are counted with those of the sign-in."""

    def __init__(self, user: Person, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.request = request

    @sensitive_variables()
    def clean_old_password(self) -> str:
        attempts = self.begin(self.user.get_username(), self.request)
        password: str = super().clean_old_password()
        attempts.succeeded()
        return password


@method_decorator(never_cache, name="dispatch")
class ChangePassword(Waits, PlainHelp, views.PasswordChangeView):
    """One's own password, by who knows the old one; signs out everywhere else."""

    form_class = ChangePasswordForm
    template_name = "immersive/password.html"
    success_url = reverse_lazy("home")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, "Your password is changed. You are signed out everywhere else.")
        return response


class SetPassword(PlainHelp, views.PasswordResetConfirmView):
    """A first or new password, by who holds the link that ``manage.py invite`` printed; it works once."""

    template_name = "immersive/password_set.html"
    success_url = reverse_lazy("sign-in")
    token_generator = link_tokens

    def get_user(self, uidb64: str) -> Person | None:
        """The person of a link, while the account is in use."""
        person: Person | None = super().get_user(uidb64)
        return person if person and person.is_active else None

    def render_to_response(self, context: dict[str, Any], **more: Any) -> HttpResponse:
        """A link that does not work, whoever's it is, is not found."""
        if not self.validlink:
            more["status"] = 404
        return super().render_to_response(context, **more)

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, "Your password is set. Sign in with it.")
        return response
