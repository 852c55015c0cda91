"""Who may call what. Figures are open to the staff who steer; the cases behind them only for the
staff's own sites, or for those whose token names every site."""

from shared.security.access import AccessTable, SiteRule, allow
from shared.security.principal import Role

_STEERING = (Role.PLANNER, Role.SUPERVISOR, Role.BACK_OFFICE, Role.AUDITOR)
NOTED = allow(Role.PLANNER, Role.SUPERVISOR, site=SiteRule.RESOURCE)
"""Who takes note of alerts; of which, the alert's site says."""

ACCESS: AccessTable = {
    ("GET", "/"): allow(Role.PUBLIC),
    ("GET", "/dashboard"): allow(Role.PUBLIC),
    ("GET", "/dashboard/sign-in"): allow(Role.PUBLIC),
    ("POST", "/dashboard/session"): allow(Role.PUBLIC),
    ("POST", "/dashboard/login"): allow(Role.PUBLIC),
    ("GET", "/dashboard/callback"): allow(Role.PUBLIC),
    # The form's mark is asked for there: also who may see no page may leave.
    ("POST", "/dashboard/sign-out"): allow(Role.PUBLIC),
    ("GET", "/dashboard/assets/{name}"): allow(Role.PUBLIC),
    ("POST", "/dashboard/alerts/{alert_id}/acknowledge"): NOTED,
    ("GET", "/dashboard/{page}"): allow(*_STEERING),
    ("GET", "/dashboard/{page}/live"): allow(*_STEERING),
    ("GET", "/v1/reports/monthly"): allow(*_STEERING),
    ("GET", "/v1/reports/plan"): allow(*_STEERING),
    ("GET", "/v1/reports/totals"): allow(*_STEERING),
    ("GET", "/v1/reports/sites"): allow(*_STEERING),
    ("GET", "/v1/reports/sites/days"): allow(*_STEERING),
    ("GET", "/v1/reports/sites/hours"): allow(*_STEERING),
    ("GET", "/v1/reports/sites/times"): allow(*_STEERING),
    ("GET", "/v1/reports/sites/first-free"): allow(*_STEERING),
    ("GET", "/v1/reports/cases"): allow(*_STEERING, site=SiteRule.QUERY),
    ("GET", "/v1/reports/cases/standing"): allow(*_STEERING, site=SiteRule.QUERY),
    ("GET", "/v1/reports/cases/counted"): allow(*_STEERING, site=SiteRule.QUERY),
    ("GET", "/v1/reports/cases/lead-times"): allow(*_STEERING, site=SiteRule.QUERY),
    ("GET", "/v1/reports/backlog"): allow(*_STEERING),
    ("GET", "/v1/reports/stages"): allow(*_STEERING),
    ("GET", "/v1/reports/lead-times"): allow(*_STEERING),
    ("GET", "/v1/reports/pickup"): allow(*_STEERING),
    ("GET", "/v1/reports/bookings"): allow(*_STEERING),
    ("GET", "/v1/reports/first-free"): allow(*_STEERING),
    ("GET", "/v1/reports/searches"): allow(*_STEERING),
    ("GET", "/v1/equity"): allow(*_STEERING),
    ("GET", "/v1/equity/measures"): allow(*_STEERING),
    ("GET", "/v1/equity/sites"): allow(*_STEERING),
    ("POST", "/v1/wards:import"): allow(Role.PLANNER),
    ("GET", "/v1/wards"): allow(*_STEERING),
    ("GET", "/v1/alerts"): allow(*_STEERING),
    ("GET", "/v1/alerts/history"): allow(*_STEERING),
    ("POST", "/v1/alerts/{alert_id}:acknowledge"): NOTED,
    ("GET", "/v1/reports/charts/{chart}"): allow(*_STEERING),
    ("GET", "/v1/reports/committee"): allow(*_STEERING),
    ("GET", "/v1/open-data"): allow(Role.PUBLIC),
    ("GET", "/v1/series"): allow(*_STEERING),
    ("POST", "/v1/forecasts:import"): allow(Role.PLANNER),
    ("GET", "/v1/forecasts"): allow(*_STEERING),
    ("GET", "/v1/forecasts/{version}"): allow(*_STEERING),
    ("GET", "/v1/forecasts/{version}/values"): allow(*_STEERING),
    ("GET", "/v1/forecasts/{version}/accuracy"): allow(*_STEERING),
}
