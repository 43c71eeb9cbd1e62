"""Measurements, each beside its goal; `make bench` prints them all.

Machines are shared and noisy, so what can be is a ratio of two things measured in turn in one run.
"""
