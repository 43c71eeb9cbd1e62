"""Hubs and storage that speak the real protocols on loopback, and fail on demand."""
