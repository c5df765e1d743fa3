"""What meets the outside: sockets, HTTP clients, processes and clocks.

Most of these implement a port of `domain.ports`, so that services and tests can use others.
"""
