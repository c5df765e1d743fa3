"""Values of the world as the JSON that both planes answer with: pure functions that handlers and admin commands share."""
