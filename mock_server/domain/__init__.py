"""The world without I/O: frozen values, one transition table, time as an argument."""
