"""What a run leaves behind: each module writes one format, or prints to one place."""
