"""Following by mail without an account: a form that sets no cookie, and two links from the mails.

Django's protection of forms needs a cookie. Here a form carries a token we signed, which runs out,
and the browser must say that the form came from this site (public-site.md, section 5).
"""

from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from cms import snapshot
from cms.feeds import group_key, groups_with_feeds
from cms.filters import LEGENDS, refuse_parameters
from supervision.public_address import public_origin
from supervision.services.followers import (
    CONFIRM,
    CONFIRM_DAYS,
    LEAVE,
    ask_to_follow,
    confirm_topic,
    leave,
    read_token,
    topic_of,
)

FORM = "cms.follow.form"
FORM_SECONDS = 2 * 60 * 60
# From one network within an hour; beyond that the form asks to come back later.
ASKED_AN_HOUR = 10


class FollowForm(forms.Form):
    """An address and what it wants to hear of; `name` is a trap no person sees or fills."""

    topic = forms.ChoiceField(label=_("What to follow"))
    email = forms.EmailField(label=_("Your e-mail address"), max_length=120)
    name = forms.CharField(required=False)
    token = forms.CharField(required=False)

    def __init__(self, *args, choices, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["topic"].choices = choices


def require_following() -> None:
    """Raises Http404 while the office has not switched following on."""
    if not settings.FOLLOW_BY_MAIL:
        raise Http404


def topics() -> dict[str, tuple[str, str, str]]:
    """What can be followed now: value in the form, then kind, key and words."""
    current = snapshot.current()
    found = {"all": ("all", "", str(_("All changes")))}
    for kind, key, name in groups_with_feeds(current):
        found[f"{kind}.{key}"] = (kind, name, f"{LEGENDS[kind]}：{name}")
    for entry in current.entries:
        found[f"item.{entry.slug}"] = ("item", entry.slug, f"{_('Item')}：{entry.title}")
    return found


def follow_query(kind: str, key: str) -> str:
    """The value of the form for a feed's kind and key or name."""
    if kind == "all":
        return "all"
    return f"{kind}.{key if kind == 'item' else group_key(key)}"


def _new_token() -> str:
    return signing.dumps("follow", salt=FORM)


def _is_our_form(token: str) -> bool:
    try:
        signing.loads(token, salt=FORM, max_age=FORM_SECONDS)
    except signing.BadSignature:
        return False
    return True


def require_own_origin(request: HttpRequest) -> None:
    """Raises PermissionDenied unless the browser says the form was sent from this site."""
    said = request.headers.get("Origin") or request.headers.get("Referer") or ""
    parts = urlsplit(said)
    own = {f"{request.scheme}://{request.get_host()}", public_origin()}
    if f"{parts.scheme}://{parts.netloc}" not in own:
        raise PermissionDenied


def is_too_much(request: HttpRequest, *, now) -> bool:
    """Whether one network asks too often. Its address is hashed with the day and soon forgotten."""
    network = request.META.get("REMOTE_ADDR", "")
    if ":" in network:
        network = ":".join(network.split(":")[:4])  # a /64
    value = f"{network} {timezone.localdate(now)}"
    key = "follow-" + salted_hmac("cms.follow.network", value, algorithm="sha256").hexdigest()[:24]
    cache.add(key, 0, 60 * 60)
    try:
        return cache.incr(key) > ASKED_AN_HOUR
    except ValueError:  # it ran out between the two
        return False


def _fresh(response: HttpResponse) -> HttpResponse:
    """Neither we nor anybody on the way keeps it: it holds a token."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    return response


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def follow(request):
    """The form; whoever sends it is told to look into the mail, whatever the address is."""
    require_following()
    known = topics()
    choices = [(value, words) for value, (_kind, _key, words) in known.items()]
    status, problem = 200, ""
    if request.method == "POST":
        require_own_origin(request)
        form = FollowForm(request.POST, choices=choices)
        if not _is_our_form(request.POST.get("token", "")):
            problem = _("The form was open for too long. Please send it again.")
        elif form.is_valid():
            now = timezone.now()
            if is_too_much(request, now=now):
                problem = _("Too many requests. Please try again in an hour.")
            else:
                kind, key, _words = known[form.cleaned_data["topic"]]
                if not form.cleaned_data["name"]:
                    ask_to_follow(email=form.cleaned_data["email"], kind=kind, key=key, at=now)
                return redirect("cms:follow_sent")
        status = 429 if problem and form.is_valid() and _is_our_form(form["token"].data) else 400
    else:
        refuse_parameters(request, ("topic",))
        chosen = request.GET.get("topic", "all")
        if chosen not in known:
            raise Http404
        form = FollowForm(initial={"topic": chosen}, choices=choices)
    context = {"form": form, "problem": problem, "token": _new_token(), "days": CONFIRM_DAYS}
    return _fresh(render(request, "cms/follow.html", context, status=status))


@require_safe
def follow_sent(request):
    """The same sentence for everybody: nobody learns who follows what."""
    require_following()
    refuse_parameters(request)
    return render(request, "cms/follow_sent.html", {"days": CONFIRM_DAYS})


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def follow_confirm(request, token: str):
    """A link in a mail only opens a page (mail scanners open it too); the button confirms."""
    require_following()
    refuse_parameters(request)
    uid = read_token(token, salt=CONFIRM)
    topic = topic_of(uid) if uid else None
    if topic is not None and request.method == "POST":
        require_own_origin(request)
        topic = confirm_topic(uid=uid, at=timezone.now())
    context = {"topic": topic, "is_done": topic is not None and topic.confirmed_at is not None}
    status = 200 if topic is not None else 404
    return _fresh(render(request, "cms/follow_confirm.html", context, status=status))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def follow_leave(request, token: str):
    """One click, also by the mail program itself (RFC 8058): the token alone is the proof.

    Answers too while following is switched off: whoever is kept may always leave.
    """
    refuse_parameters(request)
    uid = read_token(token, salt=LEAVE)
    if uid is None:
        raise Http404
    is_done = request.method == "POST"
    if is_done:
        leave(uid=uid)
    return _fresh(render(request, "cms/follow_leave.html", {"is_done": is_done}))


def follow_address(kind: str, key: str) -> str:
    """Where to follow something, or nothing while following is off: no link appears then."""
    if not settings.FOLLOW_BY_MAIL:
        return ""
    return f"{reverse('cms:follow')}?topic={follow_query(kind, key)}"
