"""A city's demand, month by month, replayed through the running services."""
