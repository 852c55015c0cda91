"""A visit as iCalendar (RFC 5545), for the citizen's own calendar.

One UID per booking and its version as SEQUENCE, so that a moved visit replaces the former entry
and a cancelled one removes it. Nothing in it says who comes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from icalendar import Alarm, Calendar, Event

from shared.calendar import TOKYO
from shared.ids import BookingId


@dataclass(frozen=True, slots=True)
class Entry:
    """What the calendar shows."""

    booking_id: BookingId
    version: int
    starts_at: datetime
    minutes: int
    title: str
    place: str
    latitude: float
    longitude: float
    written_at: datetime
    cancelled: bool


def ics(entry: Entry, domain: str) -> bytes:
    """The calendar file; ``domain`` makes its UID the city's own."""
    calendar = Calendar()
    calendar.add("prodid", "-//Madoguchi//Reservation//JA")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if entry.cancelled else "PUBLISH")
    calendar.add_component(_event(entry, domain))
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _event(entry: Entry, domain: str) -> Event:
    event = Event()
    event.add("uid", f"{entry.booking_id}@{domain}")
    event.add("sequence", entry.version)
    event.add("dtstamp", entry.written_at)
    event.add("dtstart", entry.starts_at.astimezone(TOKYO))
    event.add("dtend", (entry.starts_at + timedelta(minutes=entry.minutes)).astimezone(TOKYO))
    event.add("summary", entry.title)
    event.add("location", entry.place)
    event.add("geo", (entry.latitude, entry.longitude))
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    if not entry.cancelled:
        event.add_component(_alarm(entry.title))
    return event


def _alarm(title: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", title)
    alarm.add("trigger", timedelta(hours=-2))
    return alarm
