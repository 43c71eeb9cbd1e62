"""stable-diffusion-webui's parameters text, by which pictures are drawn again (pure)."""

from inference.infotext.read import Infotext, read_infotext

__all__ = ["Infotext", "read_infotext"]
