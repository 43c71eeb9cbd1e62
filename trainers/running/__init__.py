"""One training as a run: its folder, what it writes and tells, how it is begun, gone on with and repeated."""
