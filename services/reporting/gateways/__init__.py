"""What the room asks of others: how their processes are, and nothing about the city's work."""
