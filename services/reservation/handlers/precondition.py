"""What a caller may require of a resource before it is changed: the version that was read."""

from collections.abc import Callable

Precondition = Callable[[int | None], None]
"""Called with the present version, or ``None`` where there is no resource; raises to refuse."""
