"""``python -m services.reporting api|consume|relay|migrate``."""

from services.reporting.bootstrap import ROOM
from shared.room import main

if __name__ == "__main__":
    main(ROOM)
