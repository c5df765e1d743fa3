"""Where the world is kept."""
