"""All SQL of the room. Functions take the caller's connection and never commit."""
