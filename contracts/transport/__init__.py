"""The way to the target: one client that sends, waits and counts, and the ports that it is handed for time and wire.

`client` sends one request or many; `wire` says what a transport carries, `http_transport` and `volley` carry it over
sockets; `clock` tells and passes time; `throttle` and `circuit_breaker` decide whether a request may go.
"""
