"""The city in a box; drives public interfaces only."""
