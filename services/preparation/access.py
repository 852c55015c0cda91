"""Who may call what. Back office does the work; an auditor reads, but prints no numbers."""

from typing import Final

from shared.security.access import AccessTable, SiteRule, allow
from shared.security.principal import Role

_WORK: Final = allow(Role.BACK_OFFICE, Role.SUPERVISOR)
_SHELVE: Final = allow(Role.BACK_OFFICE, Role.SUPERVISOR, site=SiteRule.BODY)
_SHELF: Final = allow(Role.BACK_OFFICE, Role.SUPERVISOR, site=SiteRule.PATH)
_SITE_LIST: Final = allow(Role.BACK_OFFICE, Role.SUPERVISOR, Role.AUDITOR, site=SiteRule.QUERY)
_READ: Final = allow(Role.BACK_OFFICE, Role.SUPERVISOR, Role.AUDITOR)
_OUTLOOK: Final = allow(Role.BACK_OFFICE, Role.SUPERVISOR, Role.PLANNER, Role.AUDITOR)
_PLAN: Final = allow(Role.SUPERVISOR, Role.PLANNER)

ACCESS: Final[AccessTable] = {
    ("POST", "/v1/lots"): _WORK,
    ("GET", "/v1/lots"): _READ,
    ("GET", "/v1/lots/{lot_id}"): _READ,
    ("GET", "/v1/lots/{lot_id}/rows"): _READ,
    ("GET", "/v1/imports"): _READ,
    ("GET", "/v1/imports/{import_id}"): _READ,
    ("GET", "/v1/imports/{import_id}/rows"): _READ,
    ("POST", "/v1/manifests"): _WORK,
    ("GET", "/v1/discrepancies"): _READ,
    ("GET", "/v1/discrepancies/{discrepancy_id}"): _READ,
    ("POST", "/v1/discrepancies/{discrepancy_id}/work"): _WORK,
    ("POST", "/v1/discrepancies/{discrepancy_id}/closing"): _WORK,
    ("GET", "/v1/cards"): _READ,
    ("GET", "/v1/cards/{case_id}"): _READ,
    ("POST", "/v1/cards/{case_id}/stages/shelved"): _SHELVE,
    ("POST", "/v1/cards/{case_id}/stages/held"): _WORK,
    ("POST", "/v1/cards/{case_id}/stages/released"): _WORK,
    ("POST", "/v1/cards/{case_id}/stages/rejected"): _WORK,
    ("POST", "/v1/cards/{case_id}/stages/voided"): _WORK,
    ("POST", "/v1/cards/{case_id}/stages/{stage}"): _WORK,
    ("GET", "/v1/stages/held"): _READ,
    ("POST", "/v1/stages/held"): _WORK,
    ("POST", "/v1/stages/released"): _WORK,
    ("POST", "/v1/stages/rejected"): _WORK,
    ("POST", "/v1/stages/voided"): _WORK,
    ("POST", "/v1/stages/shelved"): _SHELVE,
    ("POST", "/v1/stages/{stage}"): _WORK,
    ("GET", "/v1/shelves"): _READ,
    ("GET", "/v1/shelves/picking-list"): _SITE_LIST,
    ("GET", "/v1/shelves/near-expiry"): _SITE_LIST,
    ("POST", "/v1/shelves/moves"): _SHELVE,
    ("GET", "/v1/shelves/{site_id}/{shelf}"): _READ,
    ("PUT", "/v1/shelves/{site_id}/{shelf}"): _SHELF,
    ("GET", "/v1/shelves/{site_id}/{shelf}/cards"): _READ,
    ("POST", "/v1/assignments"): _WORK,
    ("POST", "/v1/assignments/returns"): _WORK,
    ("GET", "/v1/assignments"): _READ,
    ("POST", "/v1/registry-changes"): allow(Role.BACK_OFFICE, Role.SUPERVISOR, Role.SYSTEM),
    ("POST", "/v1/registry-changes/files"): _WORK,
    ("GET", "/v1/registry-changes"): _READ,
    ("GET", "/v1/transfers"): _READ,
    ("POST", "/v1/transfers"): _SHELVE,
    ("GET", "/v1/transfers/dispatch-list"): _SITE_LIST,
    ("GET", "/v1/transfers/{transfer_id}"): _READ,
    ("GET", "/v1/transfers/{transfer_id}/manifest"): _READ,
    ("POST", "/v1/transfers/{transfer_id}:arrive"): _SHELVE,
    ("GET", "/v1/notices"): _READ,
    ("POST", "/v1/notices"): _WORK,
    ("POST", "/v1/notices/next"): _SHELVE,
    ("GET", "/v1/notices/paces"): _READ,
    ("GET", "/v1/notices/paces/{site_id}"): _READ,
    ("PUT", "/v1/notices/paces/{site_id}"): allow(Role.SUPERVISOR, site=SiteRule.PATH),
    ("POST", "/v1/notices/returns"): _WORK,
    ("POST", "/v1/notices/second"): _WORK,
    ("GET", "/v1/notices/unclaimed"): _READ,
    ("POST", "/v1/notices/{batch_id}:printed"): _WORK,
    ("GET", "/v1/notices/{batch_id}"): _READ,
    ("GET", "/v1/notices/{batch_id}/print-file"): _WORK,
    ("GET", "/v1/outlook/totals"): _OUTLOOK,
    ("GET", "/v1/outlook/totals/chart"): _OUTLOOK,
    ("GET", "/v1/outlook/backlog"): _OUTLOOK,
    ("GET", "/v1/outlook/lead-times"): _OUTLOOK,
    ("GET", "/v1/outlook/lead-times/trend"): _OUTLOOK,
    ("GET", "/v1/outlook/lead-times/chart"): _OUTLOOK,
    ("GET", "/v1/outlook/forecast"): _OUTLOOK,
    ("GET", "/v1/outlook/forecast/weeks"): _OUTLOOK,
    ("GET", "/v1/outlook/what-if"): _OUTLOOK,
    ("GET", "/v1/outlook/what-if/chart"): _OUTLOOK,
    ("GET", "/v1/outlook/desks"): _OUTLOOK,
    ("PUT", "/v1/outlook/desks/{desk}/periods/{from_on}"): _PLAN,
    ("DELETE", "/v1/outlook/desks/{desk}/periods/{from_on}"): _PLAN,
    ("GET", "/v1/status"): allow(Role.CITIZEN),
}
