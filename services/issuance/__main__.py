"""``python -m services.issuance api|consume|relay|migrate``."""

from services.issuance.bootstrap import ROOM
from shared.room import main

if __name__ == "__main__":
    main(ROOM)
