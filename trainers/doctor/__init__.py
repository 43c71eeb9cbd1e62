"""The doctor: what is wrong with a dataset, before anything is trained, and what mends it (no torch)."""

from trainers.doctor.examine import examine
from trainers.doctor.nouns import Finding, Orders, Report, Severity
from trainers.doctor.refusal import notices, orders_of, refuse

__all__ = [
    "Finding",
    "Orders",
    "Report",
    "Severity",
    "examine",
    "notices",
    "orders_of",
    "refuse",
]
