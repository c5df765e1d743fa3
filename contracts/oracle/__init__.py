"""Judges each exchange by the checks and the reference model, and remembers what led to it."""
