"""All SQL of preparation; functions take the caller's connection and never commit."""
