"""A shelf of a site: where a card lies, and how many the shelf takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.preparation.domain.refusals import refused
from shared.errors import Conflict, FieldError, NotFound, Text, Unprocessable
from shared.ids import SiteId, WardCode

MOST_POSITIONS: Final = 99_999
"""The greatest capacity: positions are printed with five digits."""

FIRST_SHELF: Final = "A"
"""The shelf of a ward office that nobody has named another for."""


@dataclass(frozen=True, slots=True, order=True)
class ShelfRef:
    """A shelf of a site; shelves are locked in this order."""

    site_id: SiteId
    shelf: str

    @classmethod
    def parse(cls, text: str) -> "ShelfRef":
        """Read ``kawasaki-ward-office/A``; ``ValueError`` for anything else."""
        site_id, slash, shelf = text.partition("/")
        if not (site_id and slash and shelf):
            raise ValueError("a shelf is written as site_id/shelf")
        return cls(SiteId(site_id), shelf)


def shelf_of(position: str) -> str:
    """The shelf that a position is on: ``A`` of ``A-00001``."""
    return position.rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class Homes:
    """The default shelf of each ward: as set, else the first shelf of the ward's own office."""

    chosen: Mapping[WardCode, ShelfRef]
    offices: Mapping[WardCode, SiteId]

    def of(self, ward: WardCode) -> ShelfRef | None:
        """Where cards of ``ward`` are laid; None where neither is known."""
        if ward in self.chosen:
            return self.chosen[ward]
        office = self.offices.get(ward)
        return ShelfRef(office, FIRST_SHELF) if office else None


class ShelfUnknown(NotFound):
    """The site has no such shelf."""

    slug = "shelf-unknown"
    title = Text("There is no such shelf", "この保管棚はありません")
    remedy = Text(
        "GET /v1/shelves lists the shelves of a site; PUT makes one.",
        "GET /v1/shelves で確認するか、PUT で登録してください。",
    )


class SiteUnknown(Unprocessable):
    """Cards are laid at sites that exist and are not closed."""

    slug = "shelf-at-no-site"
    title = Text("No cards can be laid there", "この窓口では保管できません")

    def __init__(self) -> None:
        message = Text("No open site has this id.", "この窓口は登録がないか、閉鎖されています。")
        remedy = Text(
            "Take an id from GET /v1/sites of reservation.",
            "予約サービスの GET /v1/sites にある窓口を指定してください。",
        )
        super().__init__(errors=(FieldError("site_id", message, remedy),))


class CapacityTooSmall(Conflict):
    """More cards lie on the shelf than it would take."""

    slug = "shelf-capacity-too-small"
    title = Text("The shelf holds more cards than that", "棚の枚数がその容量を超えています")

    def __init__(self, cards: int) -> None:
        super().__init__(
            Text(
                f"{cards} cards lie on it. Move some to another shelf first.",
                f"現在{cards}枚が保管されています。先に別の棚へ移してください。",
            ),
            extras={"field": "capacity", "cards": cards},
        )


SHELF_FULL: Final = refused(
    "shelf_full",
    Text("The shelf is full.", "保管棚がいっぱいです。"),
    Text(
        "Name another shelf, or raise its capacity.", "別の棚を指定するか、容量を増やしてください。"
    ),
)
NO_DEFAULT_SHELF: Final = refused(
    "no_default_shelf",
    Text(
        "No default shelf is known for the card's ward.",
        "この区の既定の保管棚が登録されていません。",
    ),
    Text(
        "Name site_id and shelf, or set MADOGUCHI_PREPARATION_DEFAULT_SHELVES.",
        "site_id と shelf を指定するか、MADOGUCHI_PREPARATION_DEFAULT_SHELVES を設定してください。",
    ),
)
NOT_ON_A_SHELF: Final = refused(
    "not_on_a_shelf",
    Text("The card does not lie on a shelf of this site.", "この窓口の棚に保管されていません。"),
    Text(
        "GET /v1/cards/{case_id} tells where it is.",
        "GET /v1/cards/{case_id} で保管場所を確認してください。",
    ),
)
