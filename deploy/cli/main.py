"""The `madoguchi` command."""


def main() -> None:
    """Entry point."""
