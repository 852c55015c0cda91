"""Login with the notice, and the keys that verify a citizen's token."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.reservation.api.citizen_desk import CitizenDeskDep, spend
from services.reservation.api.desk import DeskDep
from services.reservation.domain.link import LINK
from services.reservation.handlers import fair_use, sessions
from services.reservation.handlers.sessions import OwnCase
from shared.contracts.base import Procedure
from shared.errors import RejectedValueError, Text
from shared.http.call import CallDep
from shared.ids import BookingId, CaseId, SiteId, WardCode
from shared.security.blind_index import NoticeNumberError, normal_notice_number
from shared.security.citizen_tokens import LIFETIME
from shared.security.principal import Principal

router = APIRouter(prefix="/v1", tags=["sessions"])


def _notice_number(value: str) -> str:
    try:
        return normal_notice_number(value)
    except NoticeNumberError:
        raise RejectedValueError(
            Text(
                "A notice number is three letters or digits and then six digits: 7K2-481516.",
                "通知書番号は英数字3文字と数字6桁です（例: 7K2-481516）。",
            ),
            Text(
                "Copy the number from the notice.", "交付通知書の番号をそのまま入力してください。"
            ),
        ) from None


NoticeNumber = Annotated[str, Field(max_length=32), AfterValidator(_notice_number)]


class Login(BaseModel):
    """What stands on the notice, and who it was sent to."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"notice_number": "7K2-481516", "birth_date": "1990-02-03"}]
        },
    )

    notice_number: NoticeNumber
    birth_date: date


class SessionCase(BaseModel):
    """One of the citizen's cases."""

    case_id: CaseId
    procedure: Procedure
    ward: WardCode | None
    site_id: SiteId | None = Field(description="Where the card lies.")
    bookable_from: date | None = Field(
        description="First day of a visit: at that site, or for certificates at any. Null where "
        "nothing can be booked."
    )
    pickup_deadline: date | None
    booking_id: BookingId | None = Field(description="The active booking, if there is one.")

    @classmethod
    def of(cls, case: OwnCase) -> "SessionCase":
        """The case as it is shown."""
        facts = case.facts
        return cls(
            case_id=facts.case_id,
            procedure=facts.procedure,
            ward=facts.ward,
            site_id=facts.card_site_id,
            bookable_from=case.bookable_from,
            pickup_deadline=facts.pickup_deadline,
            booking_id=case.booking.booking_id if case.booking else None,
        )


class Session(BaseModel):
    """A token for the citizen's own cases."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "access_token": "eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
                    "token_type": "bearer",
                    "expires_in": 1800,
                    "cases": [
                        {
                            "case_id": str(UUID(int=0x0195F2C07B7C7D0E8A3C5D2E4F6A7B8C)),
                            "procedure": "card_issuance",
                            "ward": "141313",
                            "site_id": "kawasaki-ward-office",
                            "bookable_from": "2026-04-02",
                            "pickup_deadline": "2026-07-01",
                            "booking_id": None,
                        }
                    ],
                }
            ]
        }
    )

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  the kind, not a secret
    expires_in: int = Field(description="Seconds until the token ends.")
    cases: list[SessionCase]


@router.get("/citizen-keys", summary="Public keys of citizens' tokens")
async def citizen_keys(desk: DeskDep, response: Response) -> dict[str, Any]:
    """A JWKS (RFC 7517), public keys only."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return desk.keys.document()


@router.post("/sessions", summary="Log in with the notice", status_code=201)
async def open_session(
    *,
    login: Login,
    call: CallDep,
    desk: DeskDep,
    citizens: CitizenDeskDep,
    request: Request,
    response: Response,
) -> Session:
    """Opens a session for the cases of the notice. Every failed login is answered alike.

    Sent with the token of a session, the new one covers the cases of both: a family logs in with
    one notice after another and books together. Failed logins are limited per notice number and
    per network address (429 `too-many-tries`).
    """
    response.headers["Cache-Control"] = "no-store"
    number_key = desk.index.number_key(login.notice_number).value
    limits = fair_use.login(citizens.fair_use, number_key, citizens.address_key(request))
    await spend(call, limits)
    keys = desk.index.login_keys(login.notice_number, login.birth_date)
    async with call.unit() as unit:
        opened = await sessions.open_(unit, [(key.key_id, key.value) for key in keys], desk.rules)
        former = sorted(_former(call.principal) - {case.facts.case_id for case in opened})
        cases = [*await sessions.own(unit, former, desk.rules), *opened]
        await fair_use.forgive(unit, limits)
    ids = [*former, *(case.facts.case_id for case in opened)]
    token = desk.tokens.issue(_subject(call.principal, opened), ids)
    left = token.expires_at - datetime.now(UTC)
    return Session(
        access_token=token.token,
        expires_in=min(round(left.total_seconds()), int(LIFETIME.total_seconds())),
        cases=[SessionCase.of(case) for case in cases],
    )


def _former(principal: Principal) -> frozenset[CaseId]:
    """What the session covers that goes on; one opened by a link may do less, so it does not."""
    return frozenset() if LINK in principal.subject else principal.cases


def _subject(principal: Principal, opened: Sequence[OwnCase]) -> str:
    """What a session holds, and may still change, stays its own when it goes on."""
    if _former(principal):
        return principal.subject.removeprefix("citizen:")
    return f"case:{opened[0].facts.case_id}"
