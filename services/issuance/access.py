"""Who may call which route of issuance."""

from shared.security.access import AccessTable, SiteRule, allow
from shared.security.principal import Role

_CASE = "/v1/visits/{visit_id}/cases/{case_id}"
_TICKET = "/v1/tickets/{visit_id}"
_COUNTER = "/v1/counters/{site_id}/{counter}"
_AT_THE_COUNTER = allow(Role.CLERK, Role.SUPERVISOR, site=SiteRule.RESOURCE)
_AT_THE_SITE = allow(Role.CLERK, Role.SUPERVISOR, site=SiteRule.PATH)
_WHOEVER_SERVES = allow(Role.CLERK, Role.SUPERVISOR, Role.PLANNER)

ACCESS: AccessTable = {
    ("GET", "/v1/sites/{site_id}/day"): allow(Role.CLERK, Role.SUPERVISOR, site=SiteRule.PATH),
    ("POST", "/v1/sites/{site_id}/day:sign-off"): allow(Role.SUPERVISOR, site=SiteRule.PATH),
    ("GET", "/v1/sites/{site_id}/day/cards"): _AT_THE_SITE,
    ("POST", "/v1/sites/{site_id}/day/cards:count"): _AT_THE_SITE,
    ("GET", "/v1/sites/{site_id}/day/report"): allow(Role.SUPERVISOR, site=SiteRule.PATH),
    ("GET", "/v1/sites/{site_id}/day/measures"): allow(
        Role.SUPERVISOR, Role.PLANNER, site=SiteRule.PATH
    ),
    ("POST", "/v1/days:sign-off"): allow(Role.SUPERVISOR, Role.SYSTEM, site=SiteRule.RESOURCE),
    ("POST", "/v1/visits"): allow(Role.CLERK, Role.SUPERVISOR, site=SiteRule.BODY),
    ("POST", "/v1/visits:batch"): allow(
        Role.CLERK, Role.SUPERVISOR, Role.SYSTEM, site=SiteRule.RESOURCE
    ),
    ("GET", "/v1/satellites"): allow(Role.SUPERVISOR),
    ("POST", "/v1/satellites"): allow(Role.SUPERVISOR, site=SiteRule.BODY),
    ("POST", "/v1/satellites/{site_id}:lease"): allow(
        Role.SUPERVISOR, Role.SYSTEM, site=SiteRule.PATH
    ),
    ("POST", "/v1/satellites/{site_id}:take-back"): allow(Role.SUPERVISOR, site=SiteRule.PATH),
    ("GET", "/v1/journal"): allow(Role.CLERK, Role.SUPERVISOR),
    ("GET", "/v1/conflicts"): allow(Role.SUPERVISOR, site=SiteRule.QUERY),
    ("GET", "/v1/conflicts/{conflict_id}"): allow(Role.SUPERVISOR, site=SiteRule.RESOURCE),
    ("POST", "/v1/conflicts/{conflict_id}:resolve"): allow(Role.SUPERVISOR, site=SiteRule.RESOURCE),
    ("GET", "/v1/visits/{visit_id}"): _AT_THE_COUNTER,
    ("POST", "/v1/visits/{visit_id}:call"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/identity"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/proxy"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/old-card"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/receipt"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/pin-set"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/issue"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/renew"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/defer"): _AT_THE_COUNTER,
    ("GET", "/v1/checklists"): _WHOEVER_SERVES,
    # By a satellite too, which takes versions over.
    ("GET", "/v1/checklists/{version}"): allow(
        Role.CLERK, Role.SUPERVISOR, Role.PLANNER, Role.SYSTEM, site=SiteRule.ANY
    ),
    ("POST", "/v1/checklists"): allow(Role.SUPERVISOR, Role.PLANNER),
    ("GET", f"{_CASE}/certificates"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/certificates"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/wrong-pin"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/pin-reset"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/certificate-failed"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/inquiry-letter"): _AT_THE_COUNTER,
    ("POST", f"{_CASE}/card-switch"): _AT_THE_COUNTER,
    ("GET", "/v1/inquiry-letters"): allow(
        Role.CLERK, Role.SUPERVISOR, Role.BACK_OFFICE, site=SiteRule.QUERY
    ),
    ("POST", "/v1/inquiry-letters/{case_id}:mailed"): allow(
        Role.CLERK, Role.SUPERVISOR, Role.BACK_OFFICE, site=SiteRule.RESOURCE
    ),
    ("GET", "/v1/national-system"): allow(
        Role.CLERK, Role.SUPERVISOR, Role.PLANNER, site=SiteRule.QUERY
    ),
    ("POST", "/v1/visits/{visit_id}:interrupt"): _AT_THE_COUNTER,
    ("POST", "/v1/sites/{site_id}/day:interrupt"): _AT_THE_SITE,
    ("GET", "/v1/tickets"): allow(Role.CLERK, Role.SUPERVISOR, site=SiteRule.QUERY),
    ("POST", "/v1/tickets"): allow(Role.CLERK, Role.SUPERVISOR, site=SiteRule.BODY),
    ("GET", _TICKET): _AT_THE_COUNTER,
    ("POST", f"{_TICKET}:recall"): _AT_THE_COUNTER,
    ("POST", f"{_TICKET}:skip"): _AT_THE_COUNTER,
    ("POST", f"{_TICKET}:transfer"): _AT_THE_COUNTER,
    ("POST", f"{_TICKET}:leave"): _AT_THE_COUNTER,
    ("POST", f"{_TICKET}:done"): _AT_THE_COUNTER,
    ("GET", "/v1/counters"): allow(Role.CLERK, Role.SUPERVISOR, site=SiteRule.QUERY),
    ("GET", _COUNTER): _AT_THE_SITE,
    ("POST", f"{_COUNTER}:open"): _AT_THE_SITE,
    ("POST", f"{_COUNTER}:pause"): _AT_THE_SITE,
    ("POST", f"{_COUNTER}:close"): _AT_THE_SITE,
    ("POST", f"{_COUNTER}:next"): _AT_THE_SITE,
    ("GET", "/v1/board"): allow(Role.PUBLIC),
    ("GET", "/board/{site_id}"): allow(Role.PUBLIC),
    ("GET", "/counter/sign-in"): allow(Role.PUBLIC),
    ("POST", "/counter/session"): allow(Role.PUBLIC),
    ("POST", "/counter/login"): allow(Role.PUBLIC),
    ("GET", "/counter/callback"): allow(Role.PUBLIC),
    ("GET", "/counter/{site_id}/{counter}"): _AT_THE_SITE,
    # The form's mark is asked for there: also who may do nothing else may leave.
    ("POST", "/counter/{site_id}/{counter}/sign-out"): allow(Role.PUBLIC),
    ("GET", "/counter/{site_id}/{counter}/sheets/{visit_id}/{case_id}"): _AT_THE_SITE,
    ("POST", "/counter/{site_id}/{counter}/{action}"): _AT_THE_SITE,
}
