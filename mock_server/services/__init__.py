"""What the API does to the world: load, decide in the domain, save."""
