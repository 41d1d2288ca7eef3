"""Who is signed in: the account, its body and its roles in one statement.

The same statement tells whether this database holds invented data, which every page says on top.
"""

from django.contrib.auth.backends import ModelBackend
from django.db.models import Exists, F

from supervision.models import Demonstration, User


class DeskBackend(ModelBackend):
    """Django's own check of passwords and permissions; only the reading is shorter."""

    def get_user(self, user_id):
        rows = list(
            User.objects.filter(pk=user_id)
            .select_related("organization")
            .annotate(
                role_code=F("groups__name"),
                is_in_demonstration=Exists(Demonstration.objects.all()),
            )
            .order_by("groups__pk")
        )
        if not rows or not self.user_can_authenticate(rows[0]):
            return None
        user = rows[0]
        user.role_codes = frozenset(row.role_code for row in rows if row.role_code)
        return user
