"""Who may call which route of issuance."""

from shared.security.access import AccessTable, SiteRule, allow
from shared.security.principal import Role

_CASE = "/v1/visits/{visit_id}/cases/{case_id}"
_AT_THE_COUNTER = allow(Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE)

ACCESS: AccessTable = {
    ("GET", "/v1/sites/{site_id}/day"): allow(Role.CLERK, Role.SUPERVISOR, site=SiteRule.PATH),
    ("POST", "/v1/sites/{site_id}/day:sign-off"): allow(Role.SUPERVISOR, site=SiteRule.PATH),
    ("POST", "/v1/visits"): allow(Role.CLERK, Role.SUPERVISOR, site=SiteRule.BODY),
    ("GET", "/v1/visits/{visit_id}"): _AT_THE_COUNTER,
    ("POST", "/v1/visits/{visit_id}:call"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/identity"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/pin-set"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/issue"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/renew"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/defer"): _AT_THE_COUNTER,
}
