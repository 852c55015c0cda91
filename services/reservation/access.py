"""Who may call which route of reservation."""

from shared.security.access import AccessTable, SiteRule, allow
from shared.security.principal import Role

_THEIRS = allow(Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE)
"""Citizens for their own cases, staff for what lies at their site."""

ACCESS: AccessTable = {
    ("GET", "/v1/citizen-keys"): allow(Role.PUBLIC),
    ("POST", "/v1/sessions"): allow(Role.PUBLIC),
    ("GET", "/v1/sites"): allow(Role.PUBLIC),
    ("GET", "/v1/sites:export"): allow(Role.PUBLIC),
    ("POST", "/v1/sites:import"): allow(Role.PLANNER),
    ("GET", "/v1/sites/{site_id}"): allow(Role.PUBLIC),
    ("PUT", "/v1/sites/{site_id}"): allow(Role.PLANNER, site=SiteRule.PATH),
    ("POST", "/v1/sites/{site_id}:open"): allow(Role.PLANNER, site=SiteRule.PATH),
    **{
        ("GET", f"/v1/sites/{{site_id}}/{part}"): allow(Role.PUBLIC)
        for part in ("hours", "exceptions", "acceptance", "staffing")
    },
    **{
        ("PUT", f"/v1/sites/{{site_id}}/{part}"): allow(Role.PLANNER, site=SiteRule.PATH)
        for part in ("hours", "exceptions", "acceptance", "staffing")
    },
    ("POST", "/v1/sites/{site_id}:prepare"): allow(Role.PLANNER, site=SiteRule.PATH),
    ("POST", "/v1/sites/{site_id}:impact"): allow(
        Role.PLANNER, Role.SUPERVISOR, site=SiteRule.PATH
    ),
    ("GET", "/v1/closures"): allow(Role.PLANNER, Role.CLERK, Role.SUPERVISOR, site=SiteRule.QUERY),
    ("GET", "/v1/closures/{closure_id}"): allow(
        Role.PLANNER, Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
    ("POST", "/v1/closures/{closure_id}:withdraw"): allow(Role.PLANNER, site=SiteRule.RESOURCE),
    ("GET", "/v1/closures/{closure_id}/bookings"): allow(
        Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
    ("GET", "/v1/suspensions"): allow(Role.PUBLIC),
    ("GET", "/v1/suspensions/{suspension_id}"): allow(Role.PUBLIC),
    ("POST", "/v1/suspensions"): allow(Role.PLANNER, Role.SUPERVISOR, site=SiteRule.RESOURCE),
    ("POST", "/v1/suspensions/{suspension_id}:resume"): allow(
        Role.PLANNER, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
    ("GET", "/v1/calendar"): allow(Role.PUBLIC),
    ("GET", "/v1/bookings/{booking_id}/alternative"): _THEIRS,
    ("POST", "/v1/bookings/{booking_id}/alternative:answer"): _THEIRS,
    ("GET", "/v1/availability"): allow(Role.PUBLIC),
    ("GET", "/v1/availability:first"): allow(Role.PUBLIC),
    ("GET", "/v1/availability:days"): allow(Role.PUBLIC),
    ("POST", "/v1/bookings"): allow(Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.BODY),
    # Each row names a site, and is refused by itself where it is not the caller's.
    ("POST", "/v1/bookings:import"): allow(Role.PLANNER),
    ("POST", "/v1/bookings:batch"): allow(Role.CLERK, Role.SUPERVISOR, Role.SYSTEM),
    ("GET", "/v1/bookings/{booking_id}"): allow(
        Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
    ("POST", "/v1/bookings/{booking_id}:cancel"): allow(
        Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
    ("POST", "/v1/bookings/{booking_id}:move"): _THEIRS,
    ("POST", "/v1/holds"): allow(Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.BODY),
    ("GET", "/v1/holds"): allow(Role.CITIZEN, Role.CLERK, Role.SUPERVISOR),
    ("GET", "/v1/holds/{hold_id}"): _THEIRS,
    ("DELETE", "/v1/holds/{hold_id}"): _THEIRS,
    ("POST", "/v1/holds/{hold_id}:confirm"): _THEIRS,
    ("POST", "/v1/waitlist"): _THEIRS,
    ("GET", "/v1/waitlist"): allow(Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.QUERY),
    ("GET", "/v1/waitlist/{waitlist_id}"): _THEIRS,
    ("POST", "/v1/waitlist/{waitlist_id}:withdraw"): _THEIRS,
    ("POST", "/v1/waitlist/{waitlist_id}:accept"): _THEIRS,
    ("POST", "/v1/waitlist/{waitlist_id}:decline"): _THEIRS,
    ("GET", "/v1/sites/{site_id}/rules/{procedure}"): allow(Role.PUBLIC),
    ("PUT", "/v1/sites/{site_id}/rules/{procedure}"): allow(Role.PLANNER, site=SiteRule.PATH),
    ("POST", "/v1/sessions:request"): allow(Role.PUBLIC),
    ("POST", "/v1/sessions:confirm"): allow(Role.PUBLIC),
    ("POST", "/v1/sessions:link"): allow(Role.PUBLIC),
    ("POST", "/v1/links:read"): allow(Role.PUBLIC),
    ("POST", "/v1/links:cancel"): allow(Role.PUBLIC),
    # Whoever calls may have the card anywhere, or book anywhere: staff of any site answer.
    ("POST", "/v1/cases:find"): allow(Role.CLERK, Role.SUPERVISOR),
    # A renewal is not bound to a site until it is booked: staff of any site answer calls.
    ("POST", "/v1/renewals"): allow(Role.CITIZEN, Role.CLERK, Role.SUPERVISOR),
    ("GET", "/v1/renewals/{case_id}"): allow(Role.CITIZEN, Role.CLERK, Role.SUPERVISOR),
    ("POST", "/v1/renewals/{case_id}:withdraw"): allow(Role.CITIZEN, Role.CLERK, Role.SUPERVISOR),
    ("PUT", "/v1/contacts/{case_id}"): allow(
        Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
    ("GET", "/v1/contacts/{case_id}"): allow(
        Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
    ("POST", "/v1/contacts/{case_id}:verify"): allow(
        Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
    ("DELETE", "/v1/contacts/{case_id}"): allow(
        Role.CITIZEN, Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
    ("GET", "/v1/messages"): allow(Role.CLERK, Role.SUPERVISOR, site=SiteRule.QUERY),
    ("POST", "/v1/messages/{message_id}:bounced"): allow(
        Role.SYSTEM, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
    ("GET", "/v1/phone-list"): allow(Role.CLERK, Role.SUPERVISOR, site=SiteRule.QUERY),
    ("POST", "/v1/phone-list/{entry_id}:done"): allow(
        Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE
    ),
    # Last, because a site that winds down can do little else.
    ("POST", "/v1/sites/{site_id}:wind-down"): allow(Role.PLANNER, site=SiteRule.PATH),
}
