"""The admin plane: what a tester does to the mock from outside, on a port of its own, spec-first."""
