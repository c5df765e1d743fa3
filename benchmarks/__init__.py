"""Timed scenarios. Each states its peer, command and machine, and compares within one run."""
