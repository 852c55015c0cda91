"""The published language: what rooms tell each other, and nothing they keep to themselves."""
