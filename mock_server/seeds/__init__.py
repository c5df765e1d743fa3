"""Seed files: a world to begin with, read, watched and written."""
