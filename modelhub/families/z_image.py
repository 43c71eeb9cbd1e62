"""Z-Image (Tongyi-MAI/Z-Image)."""

from modelhub.families._family import Family, Latent

FAMILY = Family(
    name="z-image",
    title="Z-Image",
    prediction_type="flow",
    latent=Latent(channels=16, scale=0.3611, downscale=8, shift=0.1159),
    resolution=1024,
    context_width=2560,
    modelspec_architectures=("z-image",),
    base_versions=("z_image",),
    hub_names=("ZImageTurbo", "ZImageBase"),
    name_marks=("z_image", "z-image", "zimage"),
)
