"""Pictures that are there already, made larger and given better faces: stable-diffusion-webui's Extras."""
