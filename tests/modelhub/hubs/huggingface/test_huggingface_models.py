"""Which files of a repository are one model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.hubs.huggingface._models import Blob, Model, models_in

_SDXL = """
model_index.json sd_xl_base_1.0.safetensors sd_xl_base_1.0_0.9vae.safetensors sd_xl_offset_example-lora_1.0.safetensors
README.md LICENSE.md 01.png .gitattributes scheduler/scheduler_config.json
text_encoder/config.json text_encoder/flax_model.msgpack text_encoder/model.fp16.safetensors text_encoder/model.onnx
text_encoder/model.safetensors text_encoder/openvino_model.bin text_encoder/openvino_model.xml
tokenizer/merges.txt tokenizer/special_tokens_map.json tokenizer/tokenizer_config.json tokenizer/vocab.json
unet/config.json unet/diffusion_flax_model.msgpack unet/diffusion_pytorch_model.fp16.safetensors
unet/diffusion_pytorch_model.safetensors unet/diffusion_pytorch_model.bin unet/model.onnx_data unet/openvino_model.bin
vae/config.json vae/diffusion_pytorch_model.fp16.safetensors vae/diffusion_pytorch_model.safetensors
vae_1_0/config.json vae_1_0/diffusion_pytorch_model.safetensors vae_decoder/config.json vae_decoder/model.onnx
"""
"""The layout of stabilityai/stable-diffusion-xl-base-1.0, shortened."""
_PARTS = {"": ("scheduler", "text_encoder", "tokenizer", "unet", "vae")}


def _offered(paths: str, at: str = "", named: dict[str, tuple[str, ...]] | None = None) -> list[Model]:
    return list(models_in([Blob(path, 10, path) for path in paths.split()], at, named))


def _files(model: Model) -> list[str]:
    return [one.path for one in model.blobs]


class TestAPipeline:
    def test_offers_its_single_files_first_and_the_add_on_after_the_folder_last(self) -> None:
        assert [one.at for one in _offered(_SDXL, named=_PARTS)] == [
            "sd_xl_base_1.0.safetensors",
            "sd_xl_base_1.0_0.9vae.safetensors",
            "model_index.json#fp16",
            "model_index.json#full",
            "sd_xl_offset_example-lora_1.0.safetensors",
            "vae_1_0/config.json",
        ]

    def test_takes_each_weight_once_in_one_variant_with_all_configurations(self) -> None:
        (half,) = _offered(_SDXL, "model_index.json#fp16", _PARTS)
        assert (half.format, half.precision, half.folder) == ("diffusers", "fp16", "")
        assert _files(half) == [
            "model_index.json",
            "scheduler/scheduler_config.json",
            "text_encoder/config.json",
            "text_encoder/model.fp16.safetensors",
            "tokenizer/merges.txt",
            "tokenizer/special_tokens_map.json",
            "tokenizer/tokenizer_config.json",
            "tokenizer/vocab.json",
            "unet/config.json",
            "unet/diffusion_pytorch_model.fp16.safetensors",
            "vae/config.json",
            "vae/diffusion_pytorch_model.fp16.safetensors",
        ]

    def test_whose_index_was_not_read_takes_every_folder_that_looks_like_a_part(self) -> None:
        (full,) = _offered(_SDXL, "model_index.json")
        assert "vae_1_0/diffusion_pytorch_model.safetensors" in _files(full)
        assert not any("vae_decoder" in one for one in _files(full))

    def test_lists_the_models_of_its_parts_when_they_are_asked_for(self) -> None:
        assert [one.at for one in _offered(_SDXL, "vae", _PARTS)] == ["vae/config.json#fp16", "vae/config.json#full"]
        assert (
            _files(_offered(_SDXL, "vae/config.json#full", _PARTS)[0])[-1] == "vae/diffusion_pytorch_model.safetensors"
        )

    def test_with_one_part_only_in_full_comes_in_full(self) -> None:
        paths = "model_index.json unet/config.json unet/diffusion_pytorch_model.fp16.safetensors"
        paths += " unet/diffusion_pytorch_model.safetensors vae/config.json vae/diffusion_pytorch_model.safetensors"
        assert [(one.at, one.precision) for one in _offered(paths)] == [("model_index.json", "")]

    def test_with_pickles_only_says_so(self) -> None:
        (model,) = _offered("model_index.json unet/config.json unet/diffusion_pytorch_model.bin")
        assert model.format == "pickle"

    def test_without_any_weights_is_no_model(self) -> None:
        assert _offered("model_index.json unet/config.json scheduler/scheduler_config.json") == []


class TestAComponent:
    _VAE = "config.json diffusion_pytorch_model.safetensors diffusion_pytorch_model.bin sdxl_vae.safetensors README.md"

    def test_is_its_configuration_and_one_set_of_weights(self) -> None:
        assert [(one.at, _files(one)) for one in _offered(self._VAE)] == [
            ("sdxl_vae.safetensors", ["sdxl_vae.safetensors"]),
            ("config.json", ["config.json", "diffusion_pytorch_model.safetensors"]),
        ]

    def test_gives_a_weight_file_alone_when_it_is_named(self) -> None:
        (model,) = _offered(self._VAE, "diffusion_pytorch_model.bin")
        assert (model.folder, model.format) == (None, "pickle")

    def test_of_shards_needs_all_of_them(self) -> None:
        index = "config.json diffusion_pytorch_model.safetensors.index.json"
        first = f"{index} diffusion_pytorch_model-00001-of-00002.safetensors"
        assert _offered(first) == []
        (model,) = _offered(f"{first} diffusion_pytorch_model-00002-of-00002.safetensors")
        assert sorted(_files(model)) == sorted(f"{first} diffusion_pytorch_model-00002-of-00002.safetensors".split())

    def test_in_one_file_and_in_shards_comes_in_one_file(self) -> None:
        paths = "config.json model.safetensors model.safetensors.index.json"
        paths += " model-00001-of-00002.safetensors model-00002-of-00002.safetensors"
        assert [_files(one) for one in _offered(paths)] == [["config.json", "model.safetensors"]]

    def test_of_peft_is_headed_by_its_own_configuration(self) -> None:
        (model,) = _offered("adapter_config.json adapter_model.safetensors README.md")
        assert (model.at, model.folder) == ("adapter_config.json", "")


_TAGGER = """
.gitattributes README.md config.json model.msgpack model.onnx model.safetensors selected_tags.csv sw_jax_cv_config.json
"""
"""The layout of SmilingWolf/wd-swinv2-tagger-v3."""


class TestATagger:
    def test_is_its_net_its_list_and_what_is_small(self) -> None:
        (tagger,) = _offered(_TAGGER)
        assert (tagger.at, tagger.format, tagger.folder) == ("model.onnx", "onnx", "")
        assert _files(tagger) == ["config.json", "model.onnx", "selected_tags.csv", "sw_jax_cv_config.json"]

    def test_in_older_repositories_is_its_net_and_its_list(self) -> None:
        (tagger,) = _offered(
            "README.md keras_metadata.pb model.onnx saved_model.pb selected_tags.csv variables/a.index"
        )
        assert _files(tagger) == ["model.onnx", "selected_tags.csv"]

    def test_may_lie_in_a_folder_of_many(self) -> None:
        offered = _offered("wd/vit/model.onnx wd/vit/selected_tags.csv wd/swin/model.onnx wd/swin/selected_tags.csv")
        assert [one.at for one in offered] == ["wd/swin/model.onnx", "wd/vit/model.onnx"]
        assert [one.at for one in _offered(_TAGGER, "model.onnx")] == ["model.onnx"]

    def test_gives_its_weights_for_other_programs_alone_when_they_are_named(self) -> None:
        assert _files(_offered(_TAGGER, "model.safetensors")[0]) == ["model.safetensors"]

    def test_without_its_list_is_none(self) -> None:
        assert _offered("model.onnx README.md onnx/model_quantized.onnx") == []


class TestWhatSees:
    def test_comes_with_its_words_and_its_template(self) -> None:
        (captioner,) = _offered(
            "README.md chat_template.jinja config.json merges.txt model.safetensors preprocessor_config.json "
            "pytorch_model.bin rng.txt tf_model.h5 tokenizer.model vocab.txt"
        )
        assert _files(captioner) == [
            "config.json", "chat_template.jinja", "merges.txt", "model.safetensors", "preprocessor_config.json",
            "tokenizer.model", "vocab.txt",
        ]  # fmt: skip


class TestSingleFiles:
    def test_are_sorted_by_what_can_run_no_code_then_by_precision(self) -> None:
        paths = "a.ckpt a.safetensors a-fp16.safetensors a-fp8.safetensors a-Q4_K_M.gguf sub/b.safetensors"
        assert [(one.at, one.format, one.precision) for one in _offered(paths)] == [
            ("a-fp16.safetensors", "safetensors", "fp16"),
            ("a.safetensors", "safetensors", ""),
            ("a-fp8.safetensors", "safetensors", "fp8"),
            ("sub/b.safetensors", "safetensors", ""),
            ("a-Q4_K_M.gguf", "gguf", "q4_k_m"),
            ("a.ckpt", "pickle", ""),
        ]

    @pytest.mark.parametrize(
        "name", ["optimizer.bin", "scheduler.bin", "training_args.bin", "random_states_0.pt", "a.onnx"]
    )
    def test_are_no_remains_of_a_training(self, name: str) -> None:
        assert _offered(name) == []

    def test_below_a_folder_are_asked_for_by_the_folder(self) -> None:
        paths = "models/a.safetensors sdxl_models/b.safetensors models2/c.safetensors"
        assert [one.at for one in _offered(paths, "models")] == ["models/a.safetensors"]

    def test_in_hidden_folders_are_not_there(self) -> None:
        assert _offered(".cache/a.safetensors") == []


_FOLDERS = ("", "unet/", "vae/", "text_encoder/", "sub/", "sub/unet/", "sub/vae/")
_NAMES = (
    *("model_index.json", "config.json", "adapter_config.json", "scheduler_config.json", "vocab.json", "README.md"),
    *("model.safetensors", "model.fp16.safetensors", "pytorch_model.bin", "pytorch_model.fp16.bin"),
    *("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin", "diffusion_pytorch_model.bf16.safetensors"),
    *("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"),
    *("adapter_model.safetensors", "kip.safetensors", "kip-lora.ckpt", "kip.gguf", "optimizer.bin", "model.onnx"),
)
_PATHS = st.sets(st.sampled_from([folder + name for folder in _FOLDERS for name in _NAMES]), max_size=30)


class TestAnyRepository:
    @given(_PATHS)
    def test_gives_each_model_again_for_its_own_address(self, paths: set[str]) -> None:
        blobs = [Blob(path, 1, path) for path in sorted(paths)]
        for model in models_in(blobs):
            assert models_in(blobs, model.at) == (model,)

    @given(_PATHS)
    def test_holds_each_weight_of_a_folder_once(self, paths: set[str]) -> None:
        for model in models_in([Blob(path, 1, path) for path in sorted(paths)]):
            assert len(set(model.blobs)) == len(model.blobs)
            weights = [one.path for one in model.blobs if one.path.endswith((".safetensors", ".bin", ".ckpt", ".gguf"))]
            parts = [path.rpartition("/")[0] for path in weights if "-of-" not in path]
            assert len(set(parts)) == len(parts)
            assert model.format == "pickle" or not any(path.endswith((".bin", ".ckpt")) for path in weights)
            assert not any(path.endswith((".onnx", ".md", "optimizer.bin")) for path in _files(model))
