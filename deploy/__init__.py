"""Starting and describing an installation."""
