"""Findings again: playing their exchanges from nothing, making them fewer, and deciding which findings stand.

`replay` plays exchanges again under fresh names (`playback`, `renaming`, `scripts`), `shrinking` leaves out what is not
needed, `confirm` decides for a run, and `rerun` plays the findings of a report.
"""
