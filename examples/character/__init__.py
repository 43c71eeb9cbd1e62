"""Draws Mimo, the character on which ModelHub's demo trains; see README.md."""
