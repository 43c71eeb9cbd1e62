"""What stands between us and a version's files, in the words that the hub has had for it over the years (pure)."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from modelhub.hubs._listing import Gate
from modelhub.words.civitai import inner, name_in
from modelhub.words.strangers import number_in

__all__ = ["gate_of", "when"]

_MODES = {"Archived": "its author archived it", "TakenDown": "Civitai took it down"}
_OLD_DEADLINES = ("earlyAccessDeadline", "earlyAccessEndsAt")


def gate_of(model: Mapping[str, Any], version: Mapping[str, Any], now: datetime) -> tuple[Gate, str]:
    """The gate, and what a person should know of it."""
    if why := _MODES.get(name_in(model.get("mode"))):
        return Gate.GONE, why
    if name_in(version.get("usageControl")) not in ("", "Download"):
        return Gate.NO_DOWNLOAD, "its author lets it be used at Civitai only"
    if version.get("availability") == "Private":
        return Gate.APPROVAL, "it is private: its author says who may have it"
    if early := _early(version, now):
        return Gate.EARLY_ACCESS, early
    return (Gate.TOKEN, "it is for those who are logged in") if version.get("requireAuth") is True else (Gate.OPEN, "")


def when(value: object) -> datetime | None:
    """The moment that an ISO text names, in UTC where it tells no zone."""
    try:
        told = datetime.fromisoformat(name_in(value))
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _early(version: Mapping[str, Any], now: datetime) -> str:
    """Until when only those have it who pay; empty when all do."""
    paid = inner(version, "paidAccess")
    if paid.get("permanent") is True:
        return "it is for those who pay, for good"
    ends = list(_deadlines(version, paid))
    if later := [one for one in ends if one > now]:
        return f"it is for those who pay until {max(later):%Y-%m-%d %H:%M} UTC"
    return "" if ends or not (paid or version.get("availability") == "EarlyAccess") else "it is for those who pay"


def _deadlines(version: Mapping[str, Any], paid: Mapping[str, Any]) -> Iterator[datetime]:
    for told in (paid.get("endsAt"), *(version.get(name) for name in _OLD_DEADLINES)):
        if ends := when(told):
            yield ends
    days, published = number_in(version.get("earlyAccessTimeFrame")), when(version.get("publishedAt"))
    if days and published and 0 < days <= 366:
        yield published + timedelta(days=days)
