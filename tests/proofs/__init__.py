"""Promises as commands: each prints one line of figures, writes them, and is true or false."""
