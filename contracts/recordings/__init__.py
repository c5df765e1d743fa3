"""Recorded traffic: HTTP Archives, what they have lost, and what is left to judge."""
