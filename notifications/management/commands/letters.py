"""`manage.py letters --days 7 [--json]`: what will leave in the coming days, to whom and why."""

import json
import unicodedata

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications.upcoming import LONGEST_DAYS, upcoming


class Command(BaseCommand):
    help = "Print what will leave in the coming days; writes nothing."

    def add_arguments(self, parser):
        parser.add_argument("--days", type=int, default=7, choices=range(1, LONGEST_DAYS + 1))
        parser.add_argument("--json", action="store_true", help="as JSON instead of a table")

    def handle(self, *args, days, **options):
        rows = upcoming(timezone.now(), days=days)
        if options["json"]:
            self.stdout.write(_as_json(rows))
            return
        for row in rows:
            moment = timezone.localtime(row.leaves_at).strftime("%m-%d %H:%M")
            readers = "、".join(
                dict.fromkeys(f"{reader.name}（{reader.channel_word}）" for reader in row.readers)
            )
            held = _("held back: %(reason)s") % {"reason": row.hold.reason} if row.hold else ""
            cells = (moment, _padded(row.text, 44), row.item.title if row.item else "", readers)
            self.stdout.write("  ".join(cell for cell in (*cells, held) if cell))
        self.stdout.write(
            _("%(count)s matters in %(days)s days") % {"count": len(rows), "days": days}
        )


def _as_json(rows) -> str:
    return json.dumps([row.as_dict() for row in rows], ensure_ascii=False, indent=2)


def _padded(text: str, width: int) -> str:
    """Filled up to a width in which a Chinese character takes two columns."""
    columns = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
    return text + " " * max(width - columns, 0)
