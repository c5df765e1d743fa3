"""Defects that a tool plants in the product, one at a time: does `make test` catch them?

`choice` draws the defects, `trial` plants one in a copy of the tree and runs the tests that reach it, then all others.
"""
