"""App configuration."""

from django.apps import AppConfig


class CmsConfig(AppConfig):
    name = "cms"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from cms import checks  # noqa: F401  (registers itself)
        from cms.desk import WagtailSite
        from cms.receivers import connect
        from supervision.public_site import install

        connect()
        install(WagtailSite())
