"""App configuration."""

from django.apps import AppConfig
from django.db.models.signals import class_prepared, post_migrate
from django_fsm import FSMField

# The module Django gives to the models of a migration's state.
HISTORICAL = "__fake__"


def spare_historical_models(contribute):
    """Let state fields of migrations' models go without listening for every later model.

    django-fsm looks for transitions whenever any class is prepared. Models of a migration have
    none, and there are thousands of them: together they cost most of the time of `migrate`.
    """

    def contribute_to_class(self, cls, name, **kwargs):
        contribute(self, cls, name, **kwargs)
        if cls.__module__ == HISTORICAL:
            class_prepared.disconnect(self._collect_transitions)

    return contribute_to_class


class SupervisionConfig(AppConfig):
    name = "supervision"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        FSMField.contribute_to_class = spare_historical_models(FSMField.contribute_to_class)
        from supervision.guards import install_guards
        from supervision.services.search import hear
        from supervision.signals import event_recorded

        event_recorded.connect(hear, dispatch_uid="supervision.search")
        post_migrate.connect(install_guards, sender=self)
