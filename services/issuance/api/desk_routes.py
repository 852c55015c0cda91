"""The doors of the desk: the checklist and its steps."""

from services.issuance.api import checklists, steps

ROUTERS = (steps.router, checklists.router)
