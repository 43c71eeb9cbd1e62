"""A dataset as one page to look at: pictures, captions, findings, histograms; nothing is fetched to show it."""

from trainers.doctor.page.page import page, write_page

__all__ = ["page", "write_page"]
