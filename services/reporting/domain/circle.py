"""A circle on the ground as a GeoJSON shape, so that a map shows distances as they are."""

from collections.abc import Mapping
from math import cos, pi, radians, sin

KM_PER_DEGREE = 111.195
"""Of a great circle of the mean earth (6,371 km)."""
_CORNERS = 48


def circle(latitude: float, longitude: float, kilometres: float) -> Mapping[str, object]:
    """The points ``kilometres`` away from a place, as a polygon.

    Good to a thousandth for a few kilometres below 80 degrees of latitude.
    """
    north = kilometres / KM_PER_DEGREE
    east = north / cos(radians(latitude))
    # Clockwise: a shape drawn the other way round is, to a map, everything but the circle.
    ring = [
        [longitude + east * sin(turn), latitude + north * cos(turn)]
        for turn in (2 * pi * corner / _CORNERS for corner in range(_CORNERS + 1))
    ]
    return {
        "type": "Feature",
        "properties": {},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
