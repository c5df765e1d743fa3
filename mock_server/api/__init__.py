"""HTTP: the document served under its contract, over the services."""
