"""Small nets that stand for taggers and captioners: real formats, random or plain weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["CAPTIONERS", "SIDE", "TAGS", "image_processor", "pickle_weights"]
__all__ += ["write_captioner", "write_chat", "write_tagger"]

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


def write_captioner(folder: Path, kind: str = "blip", *, shard: str = "1GB") -> Path:
    """A captioner of random weights with 40 words, one of `CAPTIONERS`, as transformers saves one.

    `shard` is the most that one file of weights may hold.
    """
    import torch

    with torch.random.fork_rng([]):
        torch.manual_seed(_SEEDS.get(kind, 0))
        *parts, net = CAPTIONERS[kind]()
        _sharpen(net)
    net.save_pretrained(folder, max_shard_size=shard)
    for part in parts:
        part.save_pretrained(folder)
    return folder


def pickle_weights(folder: Path) -> Path:
    """Put pickles in place of a folder's safetensors, file for file, as transformers names and lists them."""
    import torch
    from safetensors.torch import load_file

    def name(file: str) -> str:
        return f"pytorch_{file.removesuffix('.safetensors')}.bin"

    for file in sorted(folder.glob("*.safetensors")):
        torch.save(load_file(file), folder / name(file.name))
        file.unlink()
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        listed = json.loads(index.read_text(encoding="utf-8"))
        listed["weight_map"] = {tensor: name(file) for tensor, file in listed["weight_map"].items()}
        (folder / "pytorch_model.bin.index.json").write_text(json.dumps(listed), encoding="utf-8")
        index.unlink()
    return folder


_SIZES = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
_SEES = {**_SIZES, "image_size": SIDE, "patch_size": 16}
_SAYS = {**_SIZES, "vocab_size": 40, "max_position_embeddings": 64, "bos_token_id": 2, "eos_token_id": 3}


def _bert_words() -> Any:
    import transformers

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "fox", *(f"word{n}" for n in range(32))]
    return transformers.BertTokenizer(vocab={word: index for index, word in enumerate(words)})


def _blip() -> tuple[Any, ...]:
    import transformers

    says = {**_SAYS, "encoder_hidden_size": 16, "projection_dim": 16, "pad_token_id": 0, "sep_token_id": 3}
    sees = {**_SEES, "initializer_range": 0.02}  # BLIP's own is nearly 0
    config = transformers.BlipConfig(text_config=says, vision_config=sees, projection_dim=16)
    looks = image_processor("Blip")(size={"height": SIDE, "width": SIDE})
    return _bert_words(), looks, transformers.BlipForConditionalGeneration(config)


def _git() -> tuple[Any, ...]:
    import transformers

    net = transformers.GitForCausalLM(transformers.GitConfig(vision_config=_SEES, **_SAYS))
    return _bert_words(), _clip_looks(), net


def _clip_looks() -> Any:
    return image_processor("CLIP")(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})


def _vit_gpt2() -> tuple[Any, ...]:
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
    return _bert_words(), image_processor("ViT")(size={"height": SIDE, "width": SIDE}), net


_STOPS = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
_PICTURE = 4
"""The word that stands for a piece of a picture."""


def _blip2(says: dict[str, Any]) -> tuple[Any, ...]:
    import transformers

    asks = {**_SIZES, "num_hidden_layers": 2, "vocab_size": 40}
    config = transformers.Blip2Config(
        vision_config={**_SEES, "initializer_range": 0.02}, qformer_config=asks, text_config={**says, **_STOPS},
        num_query_tokens=4, image_token_index=_PICTURE,
    )  # fmt: skip
    looks = image_processor("Blip")(size={"height": SIDE, "width": SIDE})
    processor = transformers.Blip2Processor(looks, _bart_words(), num_query_tokens=4)
    return processor, transformers.Blip2ForConditionalGeneration(config)


def _florence2() -> tuple[Any, ...]:
    import transformers

    sees = {
        "embed_dim": (8,) * 4, "depths": (1,) * 4, "num_heads": (2,) * 4, "num_groups": (2,) * 4, "window_size": 2,
        "projection_dim": 16, "max_position_embeddings": 10, "max_temporal_embeddings": 10,
    }  # fmt: skip
    says = {
        "model_type": "bart", "vocab_size": 40, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1,
        "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16,
        "max_position_embeddings": 64, "decoder_start_token_id": 2, **_STOPS,
    }  # fmt: skip
    config = transformers.Florence2Config(vision_config=sees, text_config=says, image_token_id=_PICTURE)
    looks = _clip_looks()
    looks.image_seq_length = 2  # of a picture of `SIDE`: one place in it, and their mean
    processor = transformers.Florence2Processor(looks, _bart_words(), post_processor_config={"pure_text": {}})
    return processor, transformers.Florence2ForConditionalGeneration(config)


def _bart_words() -> Any:
    """Words of which a few occur in what Florence-2 is asked."""
    asked = ("Describe", "in", "detail", "what", "is", "shown", "the", "image.", "What", "does", "image", "describe?")
    named = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    words = [*named.values(), "<image>", *asked, *(f"word{n}" for n in range(23))]
    return _words_apart(words, named, extra_special_tokens={"image_token": "<image>"})


def _words_apart(words: list[str], named: dict[str, str], **more: Any) -> Any:
    """A tokenizer that only parts words."""
    import tokenizers
    import transformers

    rule = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: index for index, word in enumerate(words)}, unk_token=named["unk_token"])
    )
    rule.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=rule, **named, **more)


def _sharpen(net: Any) -> None:
    """Weights as they are drawn at first are so small that all pictures look alike."""
    import torch

    with torch.no_grad():
        for weight in net.parameters():
            if weight.ndim > 1:
                weight.mul_(15)


def write_chat(folder: Path) -> Path:
    """A chat model that sees, LLaVA of random weights."""
    import torch
    import transformers

    words = ["[UNK]", "<s>", "</s>", "<image>", "USER:", "ASSISTANT:", *(f"word{n}" for n in range(34))]
    named = {"unk_token": "[UNK]", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"}
    tokenizer = _words_apart(words, named, additional_special_tokens=["<image>"])
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
        _clip_looks(), tokenizer, patch_size=16, vision_feature_select_strategy="default", chat_template=_TEMPLATE,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)  # fmt: skip
    return folder


_TEMPLATE = (
    "{% for one in messages %}USER: {% for part in one['content'] %}"
    "{% if part['type'] == 'image' %}<image> {% else %}{{ part['text'] }} {% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
_OPT = {
    "model_type": "opt", "hidden_size": 16, "ffn_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
    "vocab_size": 40, "max_position_embeddings": 64, "word_embed_proj_dim": 16,
}  # fmt: skip
_T5 = {
    "model_type": "t5", "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_decoder_layers": 1, "num_heads": 2,
    "vocab_size": 40, "decoder_start_token_id": 1,
}  # fmt: skip
CAPTIONERS = {
    "blip": _blip,
    "git": _git,
    "vit-gpt2": _vit_gpt2,
    "blip2-opt": lambda: _blip2(_OPT),
    "blip2-t5": lambda: _blip2(_T5),
    "florence2": _florence2,
}
"""Name -> its parts, the net last."""
_SEEDS = {"blip2-t5": 3, "florence2": 4}
"""Of weights that tell pictures apart."""
