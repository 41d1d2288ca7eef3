"""Signing in and out, and the own password. Five wrong passwords lock an account for a while."""

import hashlib
import ipaddress
import logging

from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.hashers import make_password
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

logger = logging.getLogger(__name__)

MAX_FAILURES = 5
LOCK_SECONDS = 15 * 60


def _network(request) -> str:
    """Where a request comes from: the IPv4 address, or the /64 of an IPv6 one."""
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return "unknown"
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)


def _counter(request, username: str) -> str:
    """The cache key of the failures of one typed name from one address."""
    who = f"{username.strip().casefold()}|{_network(request)}"
    return f"sign-in-failures:{hashlib.sha256(who.encode()).hexdigest()}"


class SignInForm(AuthenticationForm):
    """Name and password. A name nobody has is counted, locked and answered like any other."""

    error_messages = {
        "invalid_login": gettext_lazy("The name or the password is not right. Try again."),
        "inactive": gettext_lazy("The name or the password is not right. Try again."),
        "locked": gettext_lazy(
            "Too many wrong attempts. Sign-in for this name is closed for 15 minutes; try again "
            "later or ask the administrator."
        ),
    }

    def __init__(self, request=None, *args, **kwargs):
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = gettext_lazy("User name")
        self.fields["username"].widget.attrs.update(autocapitalize="none", spellcheck="false")
        self.fields["password"].label = gettext_lazy("Password")

    def clean(self):
        username = self.cleaned_data.get("username") or ""
        password = self.cleaned_data.get("password") or ""
        if not username or not password:
            return self.cleaned_data
        key = _counter(self.request, username)
        if cache.get(key, 0) >= MAX_FAILURES:
            make_password(password)  # as long as a real look
            raise ValidationError(self.error_messages["locked"], code="locked")
        try:
            cleaned = super().clean()
        except ValidationError:
            cache.add(key, 0, LOCK_SECONDS)
            try:
                failures = cache.incr(key)
            except ValueError:  # it ran out between the two lines
                cache.set(key, 1, LOCK_SECONDS)
                failures = 1
            if failures >= MAX_FAILURES:
                logger.warning("Sign-in locked for %r from %s", username, _network(self.request))
            raise
        cache.delete(key)
        return cleaned


class SignIn(views.LoginView):
    template_name = "desk/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class SignOut(views.LogoutView):
    http_method_names = ["post", "options"]

    def post(self, request, *args, **kwargs):
        response = super().post(request, *args, **kwargs)
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


def other_door(request):
    """The admins' own sign-in pages: there is one door, the one that counts wrong passwords.

    Raises PermissionDenied for somebody signed in whose duties do not lead there.
    """
    if request.user.is_authenticated:
        raise PermissionDenied(_("Your duties do not include this act."))
    return redirect_to_login(request.GET.get("next", ""))


class PasswordChange(views.PasswordChangeView):
    """A new password; every other session of the account ends with it."""

    template_name = "desk/account/password.html"
    success_url = reverse_lazy("supervision:password")

    def form_valid(self, form):
        messages.success(self.request, _("Your password was changed."))
        return super().form_valid(form)
