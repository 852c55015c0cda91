"""What is printed for a case: a receipt to sign, or what to bring when coming again.

It bears a reference and no personal data: who holds the paper writes the name on it.
"""

from services.issuance.domain.visit import Visit, VisitCase


def reference(visit: Visit, case: VisitCase) -> str:
    """By which the paper is found again at its site: date, ticket, and which case of the party."""
    number = [one.case_id for one in visit.cases].index(case.case_id) + 1
    return f"{visit.business_date:%Y%m%d}-{visit.ticket or '0'}-{number}"
