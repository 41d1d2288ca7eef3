"""App configuration."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from notifications.services import hear
        from supervision.signals import event_recorded

        event_recorded.connect(hear, dispatch_uid="notifications.hear")
