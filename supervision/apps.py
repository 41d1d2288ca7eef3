"""App configuration."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SupervisionConfig(AppConfig):
    name = "supervision"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from supervision.guards import install_guards
        from supervision.services.search import hear
        from supervision.signals import event_recorded

        event_recorded.connect(hear, dispatch_uid="supervision.search")
        post_migrate.connect(install_guards, sender=self)
