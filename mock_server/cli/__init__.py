"""The command `arklow-mock`: its flags, what it prints, and how it starts and ends."""
