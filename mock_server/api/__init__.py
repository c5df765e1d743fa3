"""The HTTP side: the served document as an application over the services."""
