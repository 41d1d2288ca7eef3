"""The office's pages about messages: what will leave, what left, group robots; own choices."""

from datetime import date
from itertools import groupby

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notifications import outbox, texts
from notifications.forms import HoldForm, PreferenceForm, RobotForm
from notifications.models import Delivery, GroupRobot, MessageHold, Preference, SendStatus
from notifications.sending import BREAKER, RELEASED, outbox_counts
from notifications.services import red_unread
from notifications.upcoming import LONGEST_DAYS, Planned, upcoming
from supervision import permissions
from supervision.history import sentence
from supervision.services.followers import MailRecord, mail_records
from supervision.views.base import perform
from supervision.views.navigation import Link, chips, page_of, query_without

PAGE_SIZE = 50
UPCOMING_SHOWN = 200
# What needs a person first.
STATES = (
    SendStatus.UNKNOWN,
    SendStatus.DEAD,
    SendStatus.HELD,
    SendStatus.FAILED,
    SendStatus.PENDING,
    SendStatus.SENDING,
    SendStatus.SENT,
    SendStatus.EXPIRED,
    SendStatus.CANCELLED,
)
GIVE_UP_STATES = (*outbox.RESENDABLE, SendStatus.FAILED, SendStatus.HELD)


def _need_office(request) -> None:
    if not permissions.can_manage_outbox(request.user):
        raise PermissionDenied


def _tabs(here: str) -> list[Link]:
    pages = (
        ("outbox", gettext_lazy("Messages sent")),
        ("upcoming", gettext_lazy("Leaving soon")),
        ("robots", gettext_lazy("Group robots")),
    )
    return [
        Link(label=label, url=reverse(f"notifications:{name}"), is_current=name == here)
        for name, label in pages
    ]


# What will leave


@login_required
@require_safe
def upcoming_page(request):
    """Everything that will leave in the coming days, day by day, with a hold for each."""
    _need_office(request)
    return _show_upcoming(request)


def _show_upcoming(request, *, bound: HoldForm | None = None, status: int = 200):
    days = _days(request.GET.get("days", "7"))
    rows = upcoming(timezone.now(), days=days)
    shown = [
        {"row": row, "form": _hold_form(row, bound), "anchor": f"m{number}"}
        for number, row in enumerate(rows[:UPCOMING_SHOWN])
    ]
    context = {
        "tabs": _tabs("upcoming"),
        "days": days,
        "by_day": [
            (day, list(found))
            for day, found in groupby(shown, lambda entry: entry["row"].leaves_date)
        ],
        "count": len(rows),
        "held_count": sum(row.hold is not None for row in rows),
        "left_out": max(len(rows) - UPCOMING_SHOWN, 0),
        "choices": [
            Link(label=str(number), url=f"?days={number}", is_active=number == days)
            for number in (1, 3, 7, LONGEST_DAYS)
        ],
        "window": {"start": settings.MAIL_FROM_TIME, "end": settings.MAIL_UNTIL_TIME},
    }
    return render(request, "notifications/upcoming.html", context, status=status)


def _days(value: str) -> int:
    return int(value) if value.isdecimal() and 1 <= int(value) <= LONGEST_DAYS else 7


def _hold_form(row: Planned, bound: HoldForm | None) -> HoldForm:
    if bound is not None and bound.data.get("key") == row.key:
        return bound
    return HoldForm(initial={"key": row.key}, auto_id=f"id_{row.key.replace(':', '_')}_%s")


@login_required
@require_POST
def hold(request):
    """Hold the messages of one fact back, with a reason."""
    _need_office(request)
    form = HoldForm(request.POST, auto_id="id_hold_%s")
    if form.is_valid():
        key = form.cleaned_data["key"]
        about, item = outbox.about_of(key)
        perform(
            request,
            lambda: outbox.hold_message(
                key=key,
                by=request.user,
                at=timezone.now(),
                reason=form.cleaned_data["reason"],
                about=about,
                item=item,
            ),
            done=_("It is held back; it leaves only after somebody lets it go."),
        )
        if request.act_done:
            return redirect("notifications:upcoming")
    return _show_upcoming(request, bound=form, status=200)


@login_required
@require_POST
def hold_release(request, uid):
    """Let a held message go."""
    _need_office(request)
    found = get_object_or_404(MessageHold, uid=uid)
    about, _item = outbox.about_of(found.key)
    perform(
        request,
        lambda: outbox.release_hold(hold=found, by=request.user, at=timezone.now(), about=about),
        done=_("It leaves when its day has come."),
    )
    return redirect("notifications:upcoming")


# What left


@login_required
@require_safe
def outbox_page(request):
    """Messages with their state and the reason in words; filtered by state, channel, person."""
    _need_office(request)
    counts = outbox_counts()
    chosen = {
        name: request.GET.get(name, "").strip() for name in ("state", "channel", "who", "day")
    }
    rows = Delivery.objects.select_related(
        "event__item",
        "event__assignment__organization",
        "event__organization",
        "event__document",
        "recipient",
        "robot",
        "on_behalf_of",
    ).order_by("-created_at", "-pk")
    if chosen["state"] in SendStatus.values:
        rows = rows.filter(status=chosen["state"])
    if chosen["channel"] in Delivery.Channel.values:
        rows = rows.filter(channel=chosen["channel"])
    if chosen["who"]:
        rows = rows.filter(
            Q(recipient__display_name__icontains=chosen["who"])
            | Q(robot__name__icontains=chosen["who"])
        )
    if request.GET.get("unread") == "red":
        rows = rows.filter(
            Exists(red_unread().filter(user=OuterRef("recipient"), event=OuterRef("event")))
        )
    if chosen["day"]:
        try:
            rows = rows.filter(sent_at__date=date.fromisoformat(chosen["day"]))
        except ValueError:
            messages.warning(request, _("This is no day of the calendar; the filter is left out."))
    page = page_of(request, rows, PAGE_SIZE)
    for row in page.object_list:
        row.text = sentence(row.event)
        row.reason = texts.reason_of(row.error) if row.error else ""
        row.can_resend = row.status in outbox.RESENDABLE
        row.can_give_up = row.status in GIVE_UP_STATES
    followers = _follower_records()
    context = {
        "tabs": _tabs("outbox"),
        "page_obj": page,
        "query": query_without(request, "page"),
        "chosen": chosen,
        "states": chips(
            request,
            "state",
            [("", _("All"), None)]
            + [(state.value, state.label, counts[state.value]) for state in STATES],
        ),
        "channels": chips(
            request,
            "channel",
            [("", _("All"), None)]
            + [(value, label, None) for value, label in Delivery.Channel.choices],
        ),
        "clear_url": "?" if any(request.GET.values()) else "",
        "breaker_count": Delivery.objects.filter(status=SendStatus.HELD, error=BREAKER).count(),
        "follower_records": followers,
        "held_to_followers": sum(record.held for record in followers),
        "has_acts": any(row.can_resend or row.can_give_up for row in page.object_list),
    }
    return render(request, "notifications/outbox.html", context)


def _follower_records() -> list[MailRecord]:
    """What became of the mails to followers, in numbers; the reasons in words."""
    records = mail_records()
    for record in records:
        codes = [code for code in record.reasons if code != RELEASED]
        record.reasons = [texts.reason_of(code) for code in codes]
    return records


RELEASES = {"release": outbox.release_held, "release_followers": outbox.release_followers}


@login_required
@require_POST
def outbox_act(request):
    """Send the chosen messages again, give them up, or release what the breaker held."""
    _need_office(request)
    act = request.POST.get("act", "")
    user, at = request.user, timezone.now()
    back = reverse("notifications:outbox")
    state = request.POST.get("state", "")
    if state in SendStatus.values:
        back += f"?state={state}"
    if act in RELEASES:
        count = perform(request, lambda: RELEASES[act](by=user, at=at))
        if count:
            text = ngettext(
                "%(count)s message was released.", "%(count)s messages were released.", count
            )
            messages.success(request, text % {"count": count})
        return redirect(back)
    if act not in ("resend", "give_up"):
        raise Http404
    numbers = [int(value) for value in request.POST.getlist("delivery") if value.isdecimal()]
    chosen = Delivery.objects.filter(pk__in=numbers).select_related(
        "event__item", "recipient", "robot"
    )
    count = 0
    for delivery in chosen:
        if act == "resend":
            perform(request, lambda row=delivery: outbox.resend(delivery=row, by=user, at=at))
        else:
            perform(
                request,
                lambda row=delivery: outbox.give_up(
                    delivery=row, by=user, at=at, reason=request.POST.get("reason", "")
                ),
            )
        if not request.act_done:
            break
        count += 1
    if not numbers:
        messages.info(request, _("Choose at least one message first."))
    elif count and act == "resend":
        text = ngettext(
            "%(count)s message will be sent again, marked as a repeat.",
            "%(count)s messages will be sent again, marked as repeats.",
            count,
        )
        messages.success(request, text % {"count": count})
    elif count:
        text = ngettext("%(count)s message is given up.", "%(count)s messages are given up.", count)
        messages.success(request, text % {"count": count})
    return redirect(back)


# Group robots


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def robots(request):
    """Group robots of all bodies; the form adds one. Keys are never shown."""
    _need_office(request)
    form = RobotForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        perform(
            request,
            lambda: outbox.add_robot(**form.cleaned_data, by=request.user, at=timezone.now()),
            done=_("The robot was added; it hears of the next matter."),
        )
        if request.act_done:
            return redirect("notifications:robots")
    rows = GroupRobot.objects.select_related("organization", "created_by").order_by(
        "organization__kind_position", "organization__position", "pk"
    )
    context = {"tabs": _tabs("robots"), "rows": rows, "form": form}
    return render(request, "notifications/robots.html", context)


@login_required
@require_POST
def robot_act(request, uid):
    """Take a robot out of use, or into use again."""
    _need_office(request)
    robot = get_object_or_404(GroupRobot.objects.select_related("organization"), uid=uid)
    is_active = request.POST.get("act") == "on"
    perform(
        request,
        lambda: outbox.switch_robot(
            robot=robot, is_active=is_active, by=request.user, at=timezone.now()
        ),
        done=_("The robot is in use.") if is_active else _("The robot is out of use."),
    )
    return redirect("notifications:robots")


# Own choices


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request):
    """Which copies of the inbox a person wants, within what duty allows."""
    user = request.user
    kept = Preference.objects.filter(user=user).first() or Preference(user=user)
    form = PreferenceForm(
        request.POST or None,
        initial={
            "is_digest_on": kept.is_digest_on,
            "digest_time": kept.digest_time,
            "is_sms_on": kept.is_sms_on,
            "mobile_phone": user.mobile_phone,
        },
    )
    if request.method == "POST" and form.is_valid():
        perform(
            request,
            lambda: outbox.save_preference(user=user, **form.cleaned_data),
            done=_("Your choices are kept."),
        )
        if request.act_done:
            return redirect("notifications:preferences")
    context = {
        "form": form,
        "has_gateway": bool(settings.SMS_GATEWAY_URL),
        "window": {"start": settings.MAIL_FROM_TIME, "end": settings.MAIL_UNTIL_TIME},
    }
    return render(request, "notifications/preferences.html", context)
