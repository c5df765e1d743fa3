"""Seed files and interpretations files: read, followed while the mock runs, and written by an export."""
