"""Faces of a picture, found, straightened, drawn again by a model made for it, and put back."""
