"""What meets the outside: sockets, processes, clocks and webhooks, each behind a port of the domain or used by the program alone."""
