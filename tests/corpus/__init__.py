"""Stored requests with stored answers: what proves that a change of the code changes no answer."""
