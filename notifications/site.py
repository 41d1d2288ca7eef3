"""Whether this host may send for this database: a restored copy starts muted.

The database carries an identity made once. A host sends only when its own file names the same
identity for the same place of the database. So a copy restored on another machine, beside the
first one, or under another name stays silent until a person adopts it (`manage.py adopt_site`).
"""

import hashlib
import json
import logging
import os
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from notifications.models import Delivery, SendStatus, SiteIdentity

logger = logging.getLogger(__name__)

SWITCH, SITE = "switch", "site"


def mute_reason(now: datetime) -> str:
    """Why nothing may leave from here: `switch`, `site`, or nothing.

    A database that has no identity and never sent a message is new: it is adopted here and now.
    """
    if not settings.SEND_MAIL:
        return SWITCH
    identity = _identity()
    if identity is None:
        if Delivery.objects.filter(status=SendStatus.SENT).exists():
            return SITE
        try:
            adopt_site(now)
        except OSError:
            logger.exception("The host's file of site identities cannot be written")
            return SITE
        return ""
    return "" if is_adopted(identity) else SITE


def is_adopted(identity: UUID | None) -> bool:
    return identity is not None and _known().get(_place()) == str(identity)


def muted_because(identity: UUID | None, *, has_sent: bool) -> str:
    """Like `mute_reason`, but only looks: for a page that has read the identity, and whether
    anything was ever sent."""
    if not settings.SEND_MAIL:
        return SWITCH
    if identity is None:
        return SITE if has_sent else ""
    return "" if is_adopted(identity) else SITE


@transaction.atomic
def adopt_site(now: datetime) -> UUID:
    """Let this host send for this database; a person's decision. Repeatable.

    Raises OSError when the host's file cannot be written.
    """
    identity = _identity()
    if identity is None:
        identity = SiteIdentity.objects.create(created_at=now).site_id
    known = _known() | {_place(): str(identity)}
    path = Path(settings.SITE_ID_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)
    return identity


def identities() -> QuerySet:
    """The identity of this database as a list of one row, empty while it has none."""
    return SiteIdentity.objects.order_by("pk").values_list("site_id")


def _identity() -> UUID | None:
    found = identities()[:1]
    return found[0][0] if found else None


def _place() -> str:
    """Where the database lies, without its password: a copy elsewhere is another place."""
    found = connection.settings_dict
    name = found["NAME"]
    if connection.vendor == "sqlite" and "mode=memory" not in str(name):
        name = Path(name).resolve()
    parts = [connection.vendor, found.get("HOST", ""), found.get("PORT", ""), name]
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()[:16]


def _known() -> dict[str, str]:
    """What the host's file says; an absent or broken file knows nothing."""
    try:
        found = json.loads(Path(settings.SITE_ID_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
