"""Command or event → domain → store. Commands check the site of what they load."""
