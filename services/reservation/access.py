"""Who may call which route of reservation."""

from shared.security.access import AccessTable, SiteRule, allow
from shared.security.principal import Role

ACCESS: AccessTable = {
    ("GET", "/v1/citizen-keys"): allow(Role.PUBLIC),
    ("POST", "/v1/sessions"): allow(Role.PUBLIC),
    ("GET", "/v1/sites"): allow(Role.PUBLIC),
    ("GET", "/v1/sites/{site_id}"): allow(Role.PUBLIC),
    ("PUT", "/v1/sites/{site_id}"): allow(Role.PLANNER, site=SiteRule.PATH),
    ("POST", "/v1/sites/{site_id}:open"): allow(Role.PLANNER, site=SiteRule.PATH),
    ("GET", "/v1/availability"): allow(Role.PUBLIC),
    ("POST", "/v1/bookings"): allow(Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.BODY),
    ("GET", "/v1/bookings/{booking_id}"): allow(
        Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
    ("POST", "/v1/bookings/{booking_id}:cancel"): allow(
        Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
}
