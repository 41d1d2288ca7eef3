"""What the site does when the public set, or an editor's word, has changed."""

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from wagtail.contrib.redirects.models import Redirect
from wagtail.documents.models import Document
from wagtail.signals import page_published, page_unpublished, post_page_move

from cms import following
from cms.models import SiteFrame
from supervision.signals import public_set_changed


def follow_releases(sender, **kwargs) -> None:
    following.follow_releases()


def follow_words(sender, **kwargs) -> None:
    """An editor's change shows once it is committed."""
    transaction.on_commit(following.follow_words, robust=True)


def connect() -> None:
    public_set_changed.connect(follow_releases, dispatch_uid="cms.follow_releases")
    for signal in (page_published, page_unpublished, post_page_move):
        signal.connect(follow_words, dispatch_uid=f"cms.follow_words.{id(signal)}")
    for model in (SiteFrame, Redirect, Document):
        post_save.connect(follow_words, sender=model, dispatch_uid=f"cms.saved.{model.__name__}")
        post_delete.connect(follow_words, sender=model, dispatch_uid=f"cms.gone.{model.__name__}")
