"""Values of the world as JSON: pure functions that handlers and admin commands share."""
