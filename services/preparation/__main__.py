"""``python -m services.preparation api|consume|relay|migrate``."""

from services.preparation.bootstrap import ROOM
from shared.room import main

main(ROOM)
