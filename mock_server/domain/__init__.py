"""The rules of Arklow as pure values and functions: no I/O, time as an argument, one transition table."""
