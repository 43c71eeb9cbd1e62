"""Small nets that stand for taggers and captioners: real formats, random or plain weights."""

from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["SIDE", "TAGS", "image_processor", "write_captioner", "write_chat", "write_tagger"]

SIDE = 32
TAGS = (("general_fun", 9), ("explicit", 9), ("red", 0), ("green_hair", 0), ("blue", 0), ("o_o", 0), ("fox_(zoo)", 4))


def write_tagger(folder: Path, batch: int | str = "N", channels: int = 3) -> Path:
    """A WD14-style tagger: how much red, green and blue there is on average is how likely those tags are.

    Its other answers are constant: the first rating 0.9, the second 0.2, ``o_o`` 0.5, the character 0.9.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    folder.mkdir(parents=True, exist_ok=True)
    weights = np.zeros((channels, len(TAGS)), np.float32)
    for channel, tag in ((2, 2), (1, 3), (0, 4)):  # blue comes first
        weights[channel, tag] = 1 / 255
    plain = np.array([0.9, 0.2, 0, 0, 0, 0.5, 0.9], np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["shown"]),
        helper.make_node("Add", ["shown", "plain"], ["likely"]),
    ]
    graph = helper.make_graph(
        nodes, "tagger",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, SIDE, SIDE, channels])],
        [helper.make_tensor_value_info("likely", TensorProto.FLOAT, [batch, len(TAGS)])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(plain, "plain")],
    )  # fmt: skip
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "model.onnx"
    )
    rows = [f"{number},{name},{category},1" for number, (name, category) in enumerate(TAGS)]
    (folder / "selected_tags.csv").write_text("\n".join(["tag_id,name,category,count", *rows]), encoding="utf-8")
    return folder


def image_processor(name: str) -> Any:
    """transformers' own of a family of nets, such as ``CLIP``, that works on Pillow's pictures."""
    import transformers

    called = f"{name}ImageProcessor"  # older versions have no other
    return getattr(transformers, f"{called}Pil", None) or getattr(transformers, called)


def write_captioner(folder: Path, kind: str = "blip") -> Path:
    """A captioner of random weights with 40 words, as transformers saves one: ``blip``, ``git`` or ``vit-gpt2``."""
    import torch
    import transformers

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "fox", *(f"word{n}" for n in range(32))]
    tokenizer = transformers.BertTokenizer(vocab={word: index for index, word in enumerate(words)})
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        looks, net = _MAKERS[kind]()
        _sharpen(net)
    for part in (net, tokenizer, looks):
        part.save_pretrained(folder)
    return folder


_SIZES = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
_SEES = {**_SIZES, "image_size": SIDE, "patch_size": 16}
_SAYS = {**_SIZES, "vocab_size": 40, "max_position_embeddings": 64, "bos_token_id": 2, "eos_token_id": 3}


def _blip() -> tuple[Any, Any]:
    import transformers

    says = {**_SAYS, "encoder_hidden_size": 16, "projection_dim": 16, "pad_token_id": 0, "sep_token_id": 3}
    sees = {**_SEES, "initializer_range": 0.02}  # BLIP's own is nearly 0
    config = transformers.BlipConfig(text_config=says, vision_config=sees, projection_dim=16)
    looks = image_processor("Blip")(size={"height": SIDE, "width": SIDE})
    return looks, transformers.BlipForConditionalGeneration(config)


def _git() -> tuple[Any, Any]:
    import transformers

    looks = image_processor("CLIP")(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    return looks, transformers.GitForCausalLM(transformers.GitConfig(vision_config=_SEES, **_SAYS))


def _vit_gpt2() -> tuple[Any, Any]:
    import transformers

    says = transformers.GPT2Config(
        vocab_size=40, n_positions=64, n_embd=16, n_layer=1, n_head=2, add_cross_attention=True, is_decoder=True,
        bos_token_id=2, eos_token_id=3,
    )  # fmt: skip
    net = transformers.VisionEncoderDecoderModel(
        encoder=transformers.ViTModel(transformers.ViTConfig(**_SEES)), decoder=transformers.GPT2LMHeadModel(says)
    )
    net.config.decoder_start_token_id = net.generation_config.decoder_start_token_id = 2
    net.config.pad_token_id = net.generation_config.pad_token_id = 0
    return image_processor("ViT")(size={"height": SIDE, "width": SIDE}), net


def _sharpen(net: Any) -> None:
    """Weights as they are drawn at first are so small that all pictures look alike."""
    import torch

    with torch.no_grad():
        for weight in net.parameters():
            if weight.ndim > 1:
                weight.mul_(15)


def write_chat(folder: Path) -> Path:
    """A chat model that sees, LLaVA of random weights."""
    import tokenizers
    import torch
    import transformers

    words = ["[UNK]", "<s>", "</s>", "<image>", "USER:", "ASSISTANT:", *(f"word{n}" for n in range(34))]
    rule = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="[UNK]")
    )
    rule.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    named = {"unk_token": "[UNK]", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"}
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=rule, additional_special_tokens=["<image>"], **named
    )
    says = transformers.LlamaConfig(**{**_SAYS, "bos_token_id": 1, "eos_token_id": 2, "max_position_embeddings": 128})
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(**_SEES), text_config=says, image_token_id=3,
        image_token_index=3, vision_feature_layer=-1,
    )  # fmt: skip
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        net = transformers.LlavaForConditionalGeneration(config)
        _sharpen(net)
    net.save_pretrained(folder)
    transformers.LlavaProcessor(
        _git()[0], tokenizer, patch_size=16, vision_feature_select_strategy="default", chat_template=_TEMPLATE,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)  # fmt: skip
    return folder


_TEMPLATE = (
    "{% for one in messages %}USER: {% for part in one['content'] %}"
    "{% if part['type'] == 'image' %}<image> {% else %}{{ part['text'] }} {% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
_MAKERS = {"blip": _blip, "git": _git, "vit-gpt2": _vit_gpt2}
