"""What is played against a target: scenarios, random walks, and requests that Schemathesis generates.

They are written in the calls of `api`, each played as part of one `sequence`, under the `names` of the run.
"""
