"""``python -m services.reservation api|consume|relay|migrate``."""

from services.reservation.bootstrap import ROOM
from shared.room import main

main(ROOM)
