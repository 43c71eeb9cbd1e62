"""`prompt translate` and `prompt complete` as a person types them."""

import io
import sys
from pathlib import Path

import pytest

from modelhub.workspace import Workspace
from tests import tables
from tests.cli.conftest import Run


def test_translate_shows_the_prompt_each_mapping_and_what_is_unknown(run: Run) -> None:
    ran = run("prompt", "translate", "白色长发，魑魅")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "long white hair, 魑魅",
        "",
        "TERM  TAG",
        "白色  white",
        "长发  long hair",
        "",
        "unknown, left as they are: 魑魅",
    ]


def test_translate_as_json_and_quietly(run: Run) -> None:
    assert run("prompt", "translate", "女孩", "--json").json == {
        "prompt": "girl",
        "terms": [["女孩", "girl"]],
        "unknown": [],
    }
    assert run("prompt", "translate", "女孩，魑魅", "-q").out == "girl, 魑魅\n"


def test_strict_fails_for_an_unknown_word_only(run: Run) -> None:
    assert run("prompt", "translate", "魑魅", "--strict").code == 2
    assert run("prompt", "translate", "女孩", "--strict").code == 0


def test_a_dash_reads_the_prompt_from_stdin(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("女孩\n"))
    assert run("prompt", "translate", "-", "-q").out == "girl\n"


def test_own_terms_come_from_the_flag_or_the_workspace(run: Run, tmp_path: Path, workspace: Workspace) -> None:
    run("init")
    (workspace.root / "terms.csv").write_text("hatsune_miku,初音未来\n", encoding="utf-8")
    (tmp_path / "mine.csv").write_text('kagamine_rin,4,10,"镜音铃"\n', encoding="utf-8")
    assert run("prompt", "translate", "初音未来", "-q").out == "hatsune miku\n"
    assert run("prompt", "translate", "镜音铃", "-q", "--terms", tmp_path / "mine.csv").out == "kagamine rin\n"
    assert run("prompt", "translate", "女孩", "--terms", tmp_path / "none.csv").code == 3
    assert run("prompt", "complete", "初音", "-q").out == "hatsune miku\n"


def test_complete_reads_the_workspaces_tags_and_the_flags(run: Run, tmp_path: Path, workspace: Workspace) -> None:
    (workspace.root / "tags").mkdir(parents=True)
    (workspace.root / "tags" / "danbooru.csv").write_text("zettai_ryouiki,0,90000,absolute_territory\n")
    (tmp_path / "mine.csv").write_text("zettai_mine,0,99999,\n")
    assert run("prompt", "complete", "zett", "-q", "--limit", 1).out == "zettai ryouiki\n"
    assert run("prompt", "complete", "zett", "-q", "--limit", 1, "--tags", tmp_path / "mine.csv").out == "zettai mine\n"
    assert run("prompt", "complete", "absolute_t").out == "zettai ryouiki  ← absolute_territory\n"
    first = run("prompt", "complete", "zett", "--json").json[0]
    assert (first["kind"], first["insert"], first["count"]) == ("tag", "zettai ryouiki", 90000)


def test_complete_knows_the_catalogs_loras(run: Run, kip: Path) -> None:
    run("add", kip)
    assert run("prompt", "complete", "<", "-q").out == "<lora:kip:1>\n"
    assert run("prompt", "complete", "<lora:kip_v").out == "<lora:kip:1>  ← kip_v3\n"
    assert run("prompt", "complete", "<lora:x", "-q").out == ""


def test_complete_knows_the_catalogs_embeddings(run: Run, tmp_path: Path) -> None:
    path = tables.write(tmp_path / "zqneg.safetensors", {"emb_params": (4, 768)})
    assert run("add", path, "--json").json["added"][0]["facts"]["kind"] == "embedding"
    assert run("prompt", "complete", "zqn", "--json").json[0]["kind"] == "embedding"
