"""A training is told in rows, and what is not known of it has none."""

from datetime import UTC, datetime, timedelta

import pytest

from modelhub.words.telling import training_rows
from modelhub.words.training import Bucket, Folder, Training

START = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def test_nothing_is_told_of_nothing() -> None:
    assert training_rows(Training(base_name="told elsewhere", licence="and this too")) == ()


@pytest.mark.parametrize(
    ("training", "row"),
    [
        (Training(software="ModelHub", dim=8, alpha=0.5), ("with", "ModelHub, rank 8, alpha 0.5")),
        (Training(module="lycoris.kohya", args={"algo": "loha"}), ("with", "lycoris.kohya, algo loha")),
        (Training(folders=(Folder("10_kip", 10, 5), Folder("x"))), ("pictures", "5, 10_kip 5 x 10, x")),
        (Training(images=1000, regularisation_images=20), ("pictures", "1,000 an epoch, 20 for regularisation")),
        (Training(resolution=(512, 512), buckets=(Bucket(512, 768, 9),)), ("cut to", "512x512, 512x768 (9)")),
        (Training(steps=1200, max_steps=1200, epoch=3, epochs=10), ("steps", "1,200, epoch 3 of 10")),
        (Training(epochs=10, batch=4), ("steps", "epoch 10, batch of 4")),
        (
            Training(learning_rates={"unet": 1e-4, "text encoder": 5e-5}),
            ("learning rate", "unet 0.0001, text encoder 5e-05"),
        ),
        (Training(seed=0, noise_offset=0.0, clip_skip=2), ("settings", "seed 0, clip skip 2, noise offset 0")),
        (Training(started=START, finished=START + timedelta(seconds=40)), ("when", "2026-01-02 03:04 UTC, took 40 s")),
        (Training(finished=START), ("when", "2026-01-02 03:04 UTC")),
        (Training(started=START, finished=START - timedelta(1)), ("when", "2026-01-02 03:04 UTC")),
        (Training(tags=(("a", 2),), different_tags=30), ("tags", "a (2), and 29 more")),
        (Training(comment="second try"), ("comment", "second try")),
    ],
)
def test_each_part_has_its_row(training: Training, row: tuple[str, str]) -> None:
    assert training_rows(training) == (row,)
