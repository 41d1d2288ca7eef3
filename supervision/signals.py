"""What the heart tells the others."""

from django.dispatch import Signal

# Sent inside the transaction that wrote the event, with `event`. Receivers write rows (inbox,
# outbox) under a savepoint of their own: they share the commit, and their failure undoes nothing.
event_recorded = Signal()

# Sent after commit when what the public may read has changed, with `release`.
public_set_changed = Signal()

# Sent in the transaction that asked for a long export, with `run`: somebody must wake a worker.
export_requested = Signal()
