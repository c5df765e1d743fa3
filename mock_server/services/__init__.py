"""What the operations and the admin commands do: load from the store, decide in the domain, save."""
