"""Guards the database keeps itself, whatever door a write comes through.

- an original due date or original milestone date, once written, never changes, nor the moment of a
  release;
- an event is never edited, nor a step of a review, nor a meeting pack and its files;
- what a workbook held when it left stays on record;
- an edition becomes approved or public only when three people have read what it holds now; its
  content changes with a new round of reviews only, and what was replaced or withdrawn does not
  come back.

Installed after every migration, because SQLite drops a table's triggers when it rebuilds it.
"""

from django.db import connections

# table, column (None: any change), message
GUARDS = (
    ("supervision_assignment", "original_due_date", "the original due date is written once"),
    ("supervision_milestone", "original_date", "the original date is written once"),
    ("supervision_release", "released_at", "the moment of a release is written once"),
    ("supervision_publicitem", "first_released_at", "the moment of a release is written once"),
    ("supervision_event", None, "an event is never edited"),
    ("supervision_releasestep", None, "a step of a review is never edited"),
    ("supervision_returnworkbook", "cells", "what a workbook held is written once"),
    ("supervision_meetingpack", None, "a meeting pack is never edited"),
    ("supervision_meetingpackfile", None, "a file of a meeting pack is never edited"),
)
REVIEWED = "an edition is public only when three people have read it as it is"
# The steps of the present round in which somebody read exactly what the edition holds.
READ = (
    "SELECT count(*) FROM supervision_releasestep step WHERE step.release_id = NEW.id "
    "AND step.round = NEW.round AND step.stage IN (1, 2, 3) AND step.seen_hash = NEW.content_hash"
)
GUARDED_STATES = "NEW.status IN ('approved', 'released', 'superseded')"


SETTLED = "an edition changes with a new round of reviews; what has ended does not come back"


def _guard_settled(cursor, vendor: str) -> None:
    """Content changes with a new round of reviews only; an ended edition stays ended."""
    different = "IS NOT" if vendor == "sqlite" else "IS DISTINCT FROM"
    content = ("NEW.content", "OLD.content")
    if vendor == "postgresql":
        content = tuple(f"{name}::text" for name in content)
    when = (
        f"NEW.round < OLD.round OR (NEW.round = OLD.round AND ({content[0]} {different} "
        f"{content[1]} OR NEW.content_hash <> OLD.content_hash)) "
        f"OR (OLD.status IN ('superseded', 'withdrawn') AND NEW.status <> OLD.status)"
    )
    name = "guard_supervision_release_settled"
    if vendor == "sqlite":
        cursor.execute(
            f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE UPDATE ON supervision_release "
            f"FOR EACH ROW WHEN {when} BEGIN SELECT RAISE(ABORT, '{SETTLED}'); END"
        )
    elif vendor == "postgresql":
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$ BEGIN "
            f"IF {when} THEN RAISE EXCEPTION '{SETTLED}' "
            f"USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; "
            f"END $$ LANGUAGE plpgsql"
        )
        cursor.execute(
            f"CREATE OR REPLACE TRIGGER {name} BEFORE UPDATE ON supervision_release "
            f"FOR EACH ROW EXECUTE FUNCTION {name}()"
        )


def _guard_reviews(cursor, vendor: str) -> None:
    """An edition is inserted or moved into a public state with its three steps or not at all."""
    for event in ("INSERT", "UPDATE"):
        name = f"guard_supervision_release_{event.lower()}"
        if vendor == "sqlite":
            cursor.execute(
                f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {event} ON supervision_release "
                f"FOR EACH ROW WHEN {GUARDED_STATES} AND ({READ}) < 3 "
                f"BEGIN SELECT RAISE(ABORT, '{REVIEWED}'); END"
            )
        elif vendor == "postgresql":
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$ BEGIN "
                f"IF {GUARDED_STATES} AND ({READ}) < 3 THEN RAISE EXCEPTION '{REVIEWED}' "
                f"USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; "
                f"END $$ LANGUAGE plpgsql"
            )
            cursor.execute(
                f"CREATE OR REPLACE TRIGGER {name} BEFORE {event} ON supervision_release "
                f"FOR EACH ROW EXECUTE FUNCTION {name}()"
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
        if "supervision_releasestep" in existing:
            _guard_reviews(cursor, connection.vendor)
            _guard_settled(cursor, connection.vendor)
