"""App configuration."""

from django.apps import AppConfig


class CmsConfig(AppConfig):
    name = "cms"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from cms.receivers import follow_releases
        from supervision.signals import public_set_changed

        public_set_changed.connect(follow_releases, dispatch_uid="cms.follow_releases")
