"""What the supervised models share."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin


class Opaque(models.Model):
    """A row with an identifier that may stand in an address and says nothing."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        abstract = True


class Stateful(ConcurrentTransitionMixin, Opaque):
    """A row with a protected state and a version that forms carry.

    `version` is raised by every service that saves the row; a form that comes back with an older
    one is shown both texts and overwrites nothing.
    """

    version = models.PositiveIntegerField(_("version"), default=0, editable=False)

    class Meta:
        abstract = True
