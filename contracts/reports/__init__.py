"""What a run leaves behind: each module listens to events and writes one format."""
