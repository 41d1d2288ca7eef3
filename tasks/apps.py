"""App configuration."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_q.signals import post_spawn

        from tasks.pulse import start_pulse

        post_spawn.connect(start_pulse, dispatch_uid="tasks.pulse")
