"""The doors of the desk: the checklist, its steps, and the national system."""

from services.issuance.api import checklists, national_system, steps

ROUTERS = (steps.router, checklists.router, national_system.router)
