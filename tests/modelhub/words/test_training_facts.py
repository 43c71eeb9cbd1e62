"""What a header tells of a training is read from every trainer's words, and never believed blindly."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelhub.errors import ModelHubError
from modelhub.headers import read_table
from modelhub.words.training import (
    Bucket,
    Folder,
    Training,
    read_training,
    training_from_json,
    training_json,
    trigger_words,
)
from tests import tables

KOHYA = {
    "ss_sd_model_name": "v1-5-pruned.safetensors",
    "ss_sd_model_hash": "81761151",
    "ss_new_sd_model_hash": "6CE0161689B3853ACAA03779EC93EAFE75A02F4CED659BEE03F50797806FA2FA",
    "ss_base_model_version": "sd_v1",
    "ss_network_module": "networks.lora",
    "ss_network_dim": "32",
    "ss_network_alpha": "16.0",
    "ss_network_args": '{"algo": "loha", "conv_dim": 4, "nested": {}}',
    "ss_resolution": "(512, 768)",
    "ss_num_train_images": "100",
    "ss_num_reg_images": "0",
    "ss_dataset_dirs": '{"10_kip robot": {"n_repeats": 10, "img_count": 10}}',
    "ss_bucket_info": '{"buckets": {"0": {"resolution": [512, 768], "count": 100}}, "mean_img_ar_error": 0.1}',
    "ss_tag_frequency": json.dumps({"10_kip robot": {"kip robot": 10, "standing": 4, "sky": 10}}),
    "ss_epoch": "3",
    "ss_num_epochs": "10",
    "ss_steps": "300",
    "ss_max_train_steps": "1000",
    "ss_total_batch_size": "2",
    "ss_learning_rate": "0.0001",
    "ss_unet_lr": "0.0002",
    "ss_text_encoder_lr": "[5e-05, 1e-05]",
    "ss_optimizer": "bitsandbytes.optim.adamw.AdamW8bit",
    "ss_lr_scheduler": "cosine",
    "ss_mixed_precision": "fp16",
    "ss_seed": "18446744073709",
    "ss_clip_skip": "2",
    "ss_noise_offset": "None",
    "ss_min_snr_gamma": "5.0",
    "ss_training_started_at": "1690000000.5",
    "ss_training_comment": "second try",
}


def test_kohyas_entries_are_read_one_by_one() -> None:
    assert read_training(KOHYA) == Training(
        base_name="v1-5-pruned.safetensors",
        base_sha256="6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa",
        base_autov1="81761151",
        base_version="sd_v1",
        module="networks.lora",
        dim=32,
        alpha=16.0,
        args={"algo": "loha", "conv_dim": "4"},
        resolution=(512, 768),
        images=100,
        regularisation_images=0,
        folders=(Folder("10_kip robot", 10, 10),),
        buckets=(Bucket(512, 768, 100),),
        epoch=3,
        epochs=10,
        steps=300,
        max_steps=1000,
        batch=2,
        learning_rates={"all": 0.0001, "unet": 0.0002, "text encoder 1": 5e-05, "text encoder 2": 1e-05},
        optimizer="bitsandbytes.optim.adamw.AdamW8bit",
        scheduler="cosine",
        precision="fp16",
        seed=18446744073709,
        clip_skip=2,
        min_snr_gamma=5.0,
        started=datetime(2023, 7, 22, 4, 26, 40, 500000, UTC),
        comment="second try",
        tags=(("kip robot", 10), ("sky", 10), ("standing", 4)),
        different_tags=3,
        captions=10,
    )


def test_what_stands_in_a_datasets_own_entry_is_found_there() -> None:
    several = [{"resolution": [768, 768], "batch_size_per_device": 4, "bucket_info": {"buckets": {"0": {}}}}]
    training = read_training({"ss_datasets": json.dumps(several)})
    assert training
    assert (training.resolution, training.batch, training.buckets) == ((768, 768), 4, ())


def test_the_model_spec_is_read() -> None:
    training = read_training(
        {
            "modelspec.title": "Kip",
            "modelspec.author": "Ann",
            "modelspec.license": "CC0",
            "modelspec.tags": "robot, red, Robot",
            "modelspec.date": "2026-01-02",
            "modelspec.merged_from": "a, b",
        }
    )
    assert training == Training(
        title="Kip", author="Ann", licence="CC0", keywords=("robot", "red"), made="2026-01-02", merged_from="a, b"
    )


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        (
            {
                "ot_revision": "abc123",
                "ot_config": json.dumps(
                    {
                        "base_model_name": "C:\\Users\\bob\\models\\base.safetensors",
                        "lora_rank": 16,
                        "lora_alpha": 1.0,
                        "resolution": "512",
                        "epochs": 20,
                        "optimizer": {"optimizer": "ADAMW"},
                        "unet": {"learning_rate": 3e-4},
                        "text_encoder": "wrong",
                    }
                ),
            },
            Training(
                software="OneTrainer abc123",
                base_name="base.safetensors",
                dim=16,
                alpha=1.0,
                resolution=(512, 512),
                epochs=20,
                optimizer="ADAMW",
                learning_rates={"unet": 3e-4},
            ),
        ),
        (
            {
                "name": "kip",
                "software": '{"name": "ai-toolkit", "version": "0.1.0", "url": "https://..."}',
                "training_info": '{"step": 500, "epoch": 4}',
            },
            Training(software="ai-toolkit 0.1.0", output_name="kip", steps=500, epoch=4),
        ),
        (
            {"sd_checkpoint": "6ce0161689", "sd_checkpoint_name": "v1-5", "step": "700"},
            Training(base_sha256="6ce0161689", base_name="v1-5", steps=700),
        ),
        ({"sd_checkpoint": "81761151", "name": "kip"}, Training(base_autov1="81761151")),
    ],
    ids=["OneTrainer", "ai-toolkit", "webui", "an older webui"],
)
def test_other_trainers_tell_it_in_their_words(metadata: dict[str, str], told: Training) -> None:
    assert read_training(metadata) == told


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"format": "pt"},
        {"ss_network_dim": "None", "ss_seed": "-1", "ss_resolution": "1x2x3"},
        {"ss_tag_frequency": "[" * 100_000, "ss_dataset_dirs": "3", "ss_bucket_info": '{"buckets": []}'},
        {"ss_tag_frequency": '{"a": {"tag": true, "other": -1, "third": 1e9}, "b": 3}'},
        {"ss_sd_model_hash": "e3b0c442", "ss_new_sd_model_hash": "not hex"},
        {"ss_training_started_at": "1e300", "ot_config": "[]", "training_info": "x", "ss_datasets": "{}"},
    ],
)
def test_what_tells_nothing_is_no_training(metadata: dict[str, str]) -> None:
    assert read_training(metadata) is None


def test_only_the_most_frequent_tags_are_kept() -> None:
    tags = {f"tag {number}": number + 1 for number in range(1000)}
    training = read_training({"ss_tag_frequency": json.dumps({"a": tags})})
    assert training
    assert (len(training.tags), training.tags[0], training.different_tags) == (200, ("tag 999", 1000), 1000)


def test_text_is_cleaned_and_folders_of_the_trainer_are_left_out() -> None:
    training = read_training({"modelspec.title": "K\x1b[2Jip\n", "ss_vae_name": "/home/ann/secret/vae.pt"})
    assert training == Training(title="Kip", vae_name="vae.pt")


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_KEYS = st.sampled_from([*KOHYA, "ss_datasets", "ot_config", "training_info", "software", "modelspec.tags", "step"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(_KEYS, st.text() | _JSON.map(json.dumps)))
def test_any_metadata_is_read_stored_and_restored(metadata: dict[str, str]) -> None:
    training = read_training(metadata)
    trigger_words(metadata)
    if training:
        stored = training_json(training)
        assert training_from_json(stored) == training
        stored.encode()


def test_stored_facts_are_plain_json_and_a_newer_schema_is_refused() -> None:
    training = read_training(KOHYA)
    assert training
    stored: dict[str, Any] = json.loads(training_json(training))
    assert (stored["schema"], stored["tags"][0], "title" in stored) == (1, ["kip robot", 10], False)
    with pytest.raises(ModelHubError, match="newer schema 2"):
        training_from_json(json.dumps({**stored, "schema": 2}))


def test_our_own_header_is_told_like_anybodys(tmp_path: Path) -> None:
    path = tables.write(tmp_path / "kip.safetensors", tables.tiny_lora(), {**KOHYA, "modelhub.recipe": "{}"})
    training = read_training(read_table(path).metadata)
    assert training
    assert (training.software, training.dim) == ("ModelHub", 32)


def _folder(name: str, tags: dict[str, int], pictures: int = 10) -> dict[str, str]:
    return {
        "ss_tag_frequency": json.dumps({name: tags}),
        "ss_dataset_dirs": json.dumps({name: {"n_repeats": 1, "img_count": pictures}}),
    }


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"modelspec.trigger_phrase": "kip, robot"}, ("kip, robot",)),
        ({"modelhub.trigger_words": '["kip", "red"]', "modelspec.trigger_phrase": "kip"}, ("kip", "red")),
        ({"modelspec.trigger_phrase": "None"}, ()),
        (_folder("10_kip robot", {"kip": 9, "sky": 10}), ("kip",)),
        (_folder("10_kip robot", {"kip_robot": 10, "kip": 10}), ("kip_robot", "kip")),
        (_folder("10_kip robot", {"kip": 8}), ()),
        (_folder("10_kip robot", {"kip": 2}, pictures=2), ()),
        (_folder("10_1girl", {"1girl": 10}), ()),
        (_folder("kip", {"kip": 10}), ()),
        ({**_folder("1_robot", {"robot": 10}), "ss_reg_dataset_dirs": '{"1_robot": {}}'}, ()),
    ],
)
def test_trigger_words_are_stated_or_hold_for_nearly_all_of_a_named_folder(
    metadata: dict[str, str], words: tuple[str, ...]
) -> None:
    assert trigger_words(metadata) == words
