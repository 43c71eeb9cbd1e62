"""Drawing over a picture: img2img, inpainting, outpainting, instruct-pix2pix (stable-diffusion-webui's rules)."""
