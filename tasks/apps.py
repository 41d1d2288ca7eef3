"""App configuration."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_q.signals import post_spawn

        from supervision.signals import export_requested
        from tasks.exports import wake_worker
        from tasks.pulse import start_pulse

        post_spawn.connect(start_pulse, dispatch_uid="tasks.pulse")
        export_requested.connect(wake_worker, dispatch_uid="tasks.wake_worker")
