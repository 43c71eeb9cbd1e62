"""Trains the small SD1-layout checkpoint that ModelHub ships, from openly licensed emoji; see README.md."""
