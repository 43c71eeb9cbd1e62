"""stable-diffusion-webui's parameters text, by which pictures are drawn again (pure)."""

from inference.infotext.write import infotext

__all__ = ["infotext"]
