"""All SQL of this room. Functions take the caller's connection and never commit."""
