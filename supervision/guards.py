"""Guards the database keeps itself, whatever door a write comes through.

- an original due date or original milestone date, once written, never changes;
- an event is never edited, nor a meeting pack and its files;
- what a workbook held when it left stays on record.

Installed after every migration, because SQLite drops a table's triggers when it rebuilds it.
"""

from django.db import connections

# table, column (None: any change), message
GUARDS = (
    ("supervision_assignment", "original_due_date", "the original due date is written once"),
    ("supervision_milestone", "original_date", "the original date is written once"),
    ("supervision_event", None, "an event is never edited"),
    ("supervision_returnworkbook", "cells", "what a workbook held is written once"),
    ("supervision_meetingpack", None, "a meeting pack is never edited"),
    ("supervision_meetingpackfile", None, "a file of a meeting pack is never edited"),
)


def install_guards(using: str = "default", **kwargs) -> None:
    """Create the triggers if they are missing. Safe to repeat."""
    connection = connections[using]
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table, column, message in GUARDS:
            if table not in existing:
                continue
            name = f"guard_{table}_{column or 'row'}"
            if connection.vendor == "sqlite":
                of, when = "", ""
                if column:
                    of = f" OF {column}"
                    when = f"WHEN OLD.{column} IS NOT NULL AND OLD.{column} IS NOT NEW.{column} "
                cursor.execute(
                    f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE UPDATE{of} ON {table} "
                    f"FOR EACH ROW {when}BEGIN SELECT RAISE(ABORT, '{message}'); END"
                )
            elif connection.vendor == "postgresql":
                when = ""
                if column:
                    when = (
                        f"WHEN (OLD.{column} IS NOT NULL "
                        f"AND OLD.{column} IS DISTINCT FROM NEW.{column}) "
                    )
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$ BEGIN "
                    f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';"
                    f" END $$ LANGUAGE plpgsql"
                )
                cursor.execute(
                    f"CREATE OR REPLACE TRIGGER {name} BEFORE UPDATE ON {table} "
                    f"FOR EACH ROW {when}EXECUTE FUNCTION {name}()"
                )
