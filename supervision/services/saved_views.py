"""Keep an address under a name, rename it, drop it: one's own order, no business act.

Nothing here shows anybody more than before, so no event is written, as for message settings.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import SavedView, User
from supervision.rules.saved_views import UnknownParameter, clean_query
from supervision.services.acts import ActRefused, lock, require

MOST_VIEWS = 40


def _lock_owner(pk: int) -> None:
    """The owner's row stands for the owner's views: two clicks at once wait for each other."""
    User.objects.select_for_update().get(pk=pk)


def _checked_name(name: str, *, owner_id: int, page: str, but: SavedView | None = None) -> str:
    """The name without idle white space. Raises ActRefused when it is missing, long or taken."""
    name = " ".join(name.split())
    longest = SavedView._meta.get_field("name").max_length
    if not name:
        raise ActRefused(_("Give the view a name."))
    if len(name) > longest:
        raise ActRefused(
            _("A name has at most %(count)s characters; shorten it.") % {"count": longest}
        )
    same = SavedView.objects.filter(owner=owner_id, page=page, name=name)
    if same.exclude(pk=but and but.pk).exists():
        raise ActRefused(
            _("You already have a view called “%(name)s” there. Choose another name.")
            % {"name": name}
        )
    return name


@transaction.atomic
def save_view(
    *, by: User, at: datetime, page: str, query: str, name: str, is_shared: bool = False
) -> SavedView:
    """Keep the filters of a page under a name.

    Raises PermissionDenied when somebody outside the office shares, ActRefused for a name that is
    missing or taken, for filters the page does not know, and beyond `MOST_VIEWS`.
    """
    require(not is_shared or permissions.can_share_view(by))
    try:
        cleaned = clean_query(page, query)
    except UnknownParameter as error:
        raise ActRefused(
            _("This address holds a filter the page does not know. Set the filters anew.")
        ) from error
    _lock_owner(by.pk)
    name = _checked_name(name, owner_id=by.pk, page=page)
    if SavedView.objects.filter(owner=by).count() >= MOST_VIEWS:
        raise ActRefused(
            _("You have %(count)s views already. Delete one you no longer need.")
            % {"count": MOST_VIEWS}
        )
    return SavedView.objects.create(
        owner=by, page=page, query=cleaned, name=name, is_shared=is_shared, created_at=at
    )


@transaction.atomic
def rename_view(*, view: SavedView, by: User, name: str, is_shared: bool) -> SavedView:
    """Give a view another name; share it with the office, or no longer.

    Raises PermissionDenied for another's view, ActRefused for a name that is missing or taken.
    """
    require(permissions.can_change_view(view, by))
    require(not is_shared or permissions.can_share_view(by))
    _lock_owner(view.owner_id)
    view = lock(view)
    view.name = _checked_name(name, owner_id=view.owner_id, page=view.page, but=view)
    view.is_shared = is_shared
    view.save()
    return view


@transaction.atomic
def delete_view(*, view: SavedView, by: User) -> None:
    """Drop a view. The head of the office may drop a shared one whose owner has left."""
    require(permissions.can_delete_view(view, by))
    view.delete()
