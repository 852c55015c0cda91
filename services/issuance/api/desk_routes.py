"""The doors of the desk: the checklist and its steps, certificates, and the national system."""

from services.issuance.api import certificates, checklists, letters, national_system, steps

ROUTERS = (
    steps.router,
    certificates.router,
    letters.router,
    checklists.router,
    national_system.router,
)
