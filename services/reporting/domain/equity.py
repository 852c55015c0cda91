"""How evenly a city serves its wards: how near, how soon, and where.

Distances are straight lines on the globe (haversine, mean radius 6,371.0088 km) from the ward's
place to the site: travel on the ground is longer, and longer for some. Shares are of procedures.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from statistics import fmean

from shared.contracts.place import Site, SiteKind
from shared.ids import SiteId, WardCode

EARTH_KM = 6371.0088
"""Mean radius (IUGG)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Degrees north and east (WGS 84)."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Flow:
    """So many residents of a ward were served at a site."""

    ward: WardCode
    site_id: SiteId
    completed: int


@dataclass(frozen=True, slots=True)
class Geography:
    """Where sites and wards are."""

    sites: Mapping[SiteId, Site]
    wards: Mapping[WardCode, Place]

    def distance(self, ward: WardCode, site_id: SiteId) -> float | None:
        """Kilometres from a ward to a site; None where either's place is not known."""
        site, place = self.sites.get(site_id), self.wards.get(ward)
        if site is None or place is None:
            return None
        return haversine(place, Place(site.latitude, site.longitude))


@dataclass(frozen=True, slots=True)
class WardEquity:
    """How the residents of a ward were served; None where it is not known or nobody was."""

    ward: WardCode
    completed: int
    days_to_first_free: float | None
    distance_km: float | None
    distance_p90_km: float | None
    own_ward_share: float | None
    near_share: float | None
    center_share: float | None
    satellite_share: float | None
    ward_office_share: float | None
    temporary_window_share: float | None


@dataclass(frozen=True, slots=True)
class Origin:
    """The users of a site from one ward, which has this rank among them (1: the most users)."""

    site_id: SiteId
    ward: WardCode
    completed: int
    share: float
    rank: int
    cumulative_share: float


@dataclass(frozen=True, slots=True)
class Spread:
    """How uneven a measure is over the wards: 0 and 1 where all have the same."""

    measure: str
    wards: int
    least: float
    least_ward: WardCode
    most: float
    most_ward: WardCode
    gini: float | None
    ratio: float | None
    """Most to least; None where the least is 0."""


MEASURES = (
    "days_to_first_free",
    "distance_km",
    "own_ward_share",
    "near_share",
    "center_share",
    "satellite_share",
    "ward_office_share",
)


def haversine(a: Place, b: Place) -> float:
    """Kilometres between two places along the globe."""
    north, east = radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)
    width = cos(radians(a.latitude)) * cos(radians(b.latitude))
    chord = sin(north / 2) ** 2 + width * sin(east / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(chord)))


def places(sites: Iterable[Site], known: Mapping[WardCode, Place]) -> dict[WardCode, Place]:
    """Where wards are: as imported, else at the ward's own office."""
    offices = {
        site.ward: Place(site.latitude, site.longitude)
        for site in sites
        if site.kind is SiteKind.WARD_OFFICE
    }
    return {**offices, **known}


def equity(
    flows: Sequence[Flow],
    geography: Geography,
    waits: Mapping[WardCode, float],
    near_km: float,
) -> list[WardEquity]:
    """Every ward that has residents served, or a place, in order of its code."""
    wards = sorted({flow.ward for flow in flows} | set(geography.wards))
    return [
        _ward(ward, [f for f in flows if f.ward == ward], geography, waits.get(ward), near_km)
        for ward in wards
    ]


def spreads(wards: Sequence[WardEquity]) -> list[Spread]:
    """How uneven each measure is, over the wards of which it is known."""
    found = (_spread(measure, wards) for measure in MEASURES)
    return [each for each in found if each is not None]


def origins(flows: Sequence[Flow]) -> Iterator[Origin]:
    """From where the users of each site come, in order of site and rank."""
    for site_id in sorted({flow.site_id for flow in flows}):
        here = [flow for flow in flows if flow.site_id == site_id]
        total, so_far = sum(flow.completed for flow in here), 0
        ranked = sorted(here, key=lambda flow: (-flow.completed, flow.ward))
        for rank, flow in enumerate(ranked, start=1):
            so_far += flow.completed
            share, cumulative = flow.completed / total, so_far / total
            yield Origin(site_id, flow.ward, flow.completed, share, rank, cumulative)


def gini(values: Sequence[float]) -> float | None:
    """Gini coefficient of values from 0 up; None where there is none, or all are 0."""
    total = sum(values)
    if not values or total <= 0:
        return None
    ranked = enumerate(sorted(values), start=1)
    weighted = sum((2 * rank - len(values) - 1) * value for rank, value in ranked)
    return max(0.0, weighted / (len(values) * total))


def _ward(
    ward: WardCode, flows: Sequence[Flow], at: Geography, wait: float | None, near_km: float
) -> WardEquity:
    total = sum(flow.completed for flow in flows)
    measured = [
        (km, f.completed) for f in flows if (km := at.distance(ward, f.site_id)) is not None
    ]
    site_of = {flow.site_id: at.sites.get(flow.site_id) for flow in flows}

    def share(kind: SiteKind) -> float | None:
        of_kind = sum(
            f.completed for f in flows if (s := site_of[f.site_id]) is not None and s.kind is kind
        )
        return _share(of_kind, total)

    own = sum(
        f.completed for f in flows if (s := site_of[f.site_id]) is not None and s.ward == ward
    )
    return WardEquity(
        ward=ward,
        completed=total,
        days_to_first_free=wait,
        distance_km=_mean(measured),
        distance_p90_km=_p90(measured),
        own_ward_share=_share(own, total),
        near_share=_share(sum(n for km, n in measured if km <= near_km), total),
        center_share=share(SiteKind.CENTER),
        satellite_share=share(SiteKind.SATELLITE),
        ward_office_share=share(SiteKind.WARD_OFFICE),
        temporary_window_share=share(SiteKind.TEMPORARY_WINDOW),
    )


def _spread(measure: str, wards: Sequence[WardEquity]) -> Spread | None:
    known = {w.ward: value for w in wards if (value := getattr(w, measure)) is not None}
    if not known:
        return None
    least = min(known, key=lambda ward: (known[ward], ward))
    most = max(known, key=lambda ward: (known[ward], ward))
    return Spread(
        measure=measure,
        wards=len(known),
        least=known[least],
        least_ward=least,
        most=known[most],
        most_ward=most,
        gini=gini(list(known.values())),
        ratio=known[most] / known[least] if known[least] > 0 else None,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(measured: Sequence[tuple[float, int]]) -> float | None:
    if not measured:
        return None
    return fmean([km for km, _ in measured], [count for _, count in measured])


def _p90(measured: Sequence[tuple[float, int]]) -> float | None:
    left = 0.9 * sum(count for _, count in measured)
    for km, count in sorted(measured):
        left -= count
        if left <= 1e-9:
            return km
    return None
