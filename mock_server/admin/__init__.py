"""The admin plane: what tests do to the mock from outside, on a port of its own, built from its own document."""
