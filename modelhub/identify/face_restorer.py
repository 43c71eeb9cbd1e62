"""Face restorers: GFPGAN, RestoreFormer and CodeFormer, in their authors' names."""

from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.identify._signed import Net, Shelf
from modelhub.kinds import Kind, Source

_SHELF = Shelf(
    (
        Net("gfpgan", {"stylegan_decoder.style_mlp.1.weight": None, "toRGB.0.weight": None}),
        Net(
            "codeformer",
            {
                "idx_pred_layer.1.weight": None,
                "position_emb": (None, None),
                "quantize.embedding.weight": (None, None),
                "ft_layers.0.self_attn.in_proj_weight": None,
            },
        ),
        Net(
            "restoreformer",
            {
                "quantize.embedding.weight": (None, None),
                "encoder.conv_in.weight": (None, 3, None, None),
                "encoder.conv_out.weight": None,
                "encoder.down.0.block.0.norm1.weight": None,
                "decoder.conv_out.weight": (3, None, None, None),
                "quant_conv.weight": None,
            },
            absent=("idx_pred_layer.1.weight",),
        ),
    ),
    ("", "module.", "netG.", "vqvae."),
)


def claim(file: WeightFile) -> Claim | None:
    found = _SHELF.find(file)
    if found is None:
        return None
    net, prefix = found
    rarest = prefix + next(iter(net.requires))
    facts = stated(
        Kind.FACE_RESTORER,
        f"it has {rarest}",
        format=Known(f"{file.table.container}/{net.layout}", Source.TENSORS, f"it is under {prefix or 'no prefix'}"),
        algorithm=Known(net.algorithm, Source.TENSORS, f"{', '.join(net.requires)} stand together there alone"),
    )
    return Claim(len(net.requires), facts)
