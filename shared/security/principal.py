"""A principal is who acts. Its roles and sites come only from a verified token or from the house
itself; nothing a caller sends in a body or a query adds to them.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from shared.errors import Forbidden, Text
from shared.ids import CaseId, SiteId

EVERY_SITE: Final = SiteId("*")
"""In a token's ``sites`` claim: the holder may act at every site."""


class Role(StrEnum):
    """What somebody is to the city. ``public`` is everybody, with a token or without."""

    PUBLIC = "public"
    CITIZEN = "citizen"
    CLERK = "clerk"
    SUPERVISOR = "supervisor"
    BACK_OFFICE = "back_office"
    PLANNER = "planner"
    AUDITOR = "auditor"
    SYSTEM = "system"


STAFF_ROLES: Final = frozenset(Role) - {Role.PUBLIC, Role.CITIZEN}
"""Roles bound to sites: they reach only what lies at the sites in their token."""


class SiteForbidden(Forbidden):
    """Staff reach only the sites of their token."""

    remedy = Text(
        "Choose one of your own sites, or ask your supervisor to have the site added.",
        "担当の窓口を選ぶか、窓口の追加を責任者に依頼してください。",
    )

    def __init__(self, site_id: SiteId) -> None:
        if site_id == EVERY_SITE:
            detail = Text(
                "Without a site this covers every site; your account may not act at all of them.",
                "窓口を指定しない操作は全窓口が対象です。このアカウントでは実行できません。",
            )
        else:
            detail = Text(
                "Your account may not act at this site.",
                "このアカウントでは、この窓口の操作はできません。",
            )
        super().__init__(detail)


class CaseForbidden(Forbidden):
    """Citizens reach only their own cases. Says the same whether the case exists or not."""

    remedy = Text(
        "Log in with the notice number and birth date of the person concerned.",
        "手続をする方の通知書番号と生年月日でログインしてください。",
    )

    def __init__(self) -> None:
        super().__init__(
            Text(
                "This procedure does not belong to the notice you logged in with.",
                "ログインした交付通知書の手続ではありません。",
            )
        )


@dataclass(frozen=True, slots=True)
class Principal:
    """``cases`` are a citizen's own; staff have none, and reach cases through their sites."""

    subject: str
    roles: frozenset[Role]
    sites: frozenset[SiteId] = field(default_factory=frozenset)
    cases: frozenset[CaseId] = field(default_factory=frozenset)

    @classmethod
    def anonymous(cls) -> Self:
        """A caller without a token: the role ``public`` and nothing else."""
        return cls(subject="anonymous", roles=frozenset({Role.PUBLIC}))

    @classmethod
    def system(cls, room: str) -> Self:
        """The room itself, acting on an event or on the clock, at every site."""
        return cls(
            subject=f"system:{room}",
            roles=frozenset({Role.SYSTEM}),
            sites=frozenset({EVERY_SITE}),
        )

    @property
    def is_anonymous(self) -> bool:
        """Whether no token stands behind this principal. No issuer can grant ``public``."""
        return self.roles == {Role.PUBLIC}

    @property
    def is_staff(self) -> bool:
        """Whether a role bound to sites is held."""
        return not self.roles.isdisjoint(STAFF_ROLES)

    def may_act_at(self, site_id: SiteId) -> bool:
        """Whether the token names this site or every site. Never true for a citizen."""
        return self.is_staff and (site_id in self.sites or EVERY_SITE in self.sites)

    def require_site(self, site_id: SiteId) -> None:
        """Raise ``SiteForbidden`` unless ``may_act_at(site_id)``."""
        if not self.may_act_at(site_id):
            raise SiteForbidden(site_id)

    def require_case(self, case_id: CaseId) -> None:
        """Raise ``CaseForbidden`` unless the case is the citizen's own.

        Staff pass: their limit is the site (``require_site``). Anybody else is refused.
        """
        if not self.is_staff and case_id not in self.cases:
            raise CaseForbidden

    def require_case_at(self, case_id: CaseId, site_id: SiteId) -> None:
        """For routes that citizens and staff share: the citizen needs the case, staff the site."""
        if self.is_staff:
            self.require_site(site_id)
        else:
            self.require_case(case_id)
