"""Tests of what the mock shows of its values."""
