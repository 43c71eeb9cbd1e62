"""The database is made, brought up to date and refused as its schema says; writers wait for each other."""

import json
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from modelhub.catalog import Catalog, Query, database, migrations, tables
from modelhub.errors import BrokenFile, Conflict, ModelHubError, NoWorkspace, OutOfResources
from modelhub.workspace import Workspace


def set_revision(workspace: Workspace, revision: str) -> None:
    with closing(sqlite3.connect(workspace.catalog)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def test_no_catalog_is_opened_where_none_is(workspace: Workspace) -> None:
    with pytest.raises(NoWorkspace):
        Catalog.open(workspace)
    assert not workspace.root.exists()


def test_creating_twice_keeps_what_is_there(workspace: Workspace) -> None:
    with Catalog.create(workspace) as catalog:
        number = catalog.begin_run("train", {})
    with Catalog.create(workspace) as catalog:
        assert catalog.run(number).kind == "train"


def test_the_code_reads_the_newest_revision() -> None:
    assert migrations.head() == tables.SCHEMA


def test_the_migrations_make_the_tables_that_the_code_knows(catalog: Catalog) -> None:
    with catalog._database.reading() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), tables.metadata)
    strange = [each for each in differences if "search" not in repr(each)]
    assert strange == []


def test_the_database_runs_in_wal_with_foreign_keys(catalog: Catalog) -> None:
    with catalog._database.reading() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "foreign_keys")]
    assert found == ["wal", 1]


def test_ids_are_never_reused_by_the_tables_own_promise(catalog: Catalog) -> None:
    with catalog._database.reading() as connection:
        sql = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name IN ('artifact', 'run', 'image')")
        assert all("AUTOINCREMENT" in row[0] for row in sql)


def test_a_newer_catalog_is_refused_and_left_alone(workspace: Workspace) -> None:
    Catalog.create(workspace).close()
    set_revision(workspace, "9999")
    with pytest.raises(ModelHubError, match="newer ModelHub") as caught:
        Catalog.open(workspace)
    assert caught.value.mend == "pip install --upgrade modelhub-suite"
    assert list(workspace.root.glob("*.bak-*")) == []


NOW = "'2026-01-01T00:00:00+00:00'"
PAYLOAD = '{"kept": true}'


def write_first_schema(workspace: Workspace) -> None:
    """A catalog as the first release wrote it, with a model and a picture in it."""
    workspace.root.mkdir(parents=True)
    engine = database._engine(workspace.catalog)
    with engine.execution_options(writes=True).begin() as connection:
        migrations.upgrade(connection, "0001")
        facts = json.dumps({"schema": 1, "kind": "lora", "family": "sd1", "evidence": {}, "conflicts": []})
        rows = (
            f"INSERT INTO artifact VALUES (7, 'kip', 'lora', 'sd1', '{facts}', {NOW}, NULL, NULL)",
            "INSERT INTO location VALUES (1, 7, 'models/lora/kip.safetensors', 10, 20, 'present')",
            "INSERT INTO tag VALUES (7, 'figure')",
            f"INSERT INTO run VALUES (1, 'train', '{PAYLOAD}', 'done', 1, '', {NOW}, NULL, NULL)",
            f"INSERT INTO image VALUES (1, 1, 'outputs/a.png', 'ab', 8, 8, 'a red apple', NULL, {NOW})",
        )
        for row in rows:
            connection.exec_driver_sql(row)
    engine.dispose()


def test_an_older_catalog_is_migrated_whole_with_a_copy_kept(workspace: Workspace) -> None:
    write_first_schema(workspace)
    with Catalog.open(workspace) as opened:
        artifact = opened.resolve("kip")
        assert (artifact.id, artifact.tags, artifact.note, artifact.trigger_words) == (7, ("figure",), "", ())
        assert artifact.locations[0].path == workspace.root / "models/lora/kip.safetensors"
        assert [one.id for one in opened.list(Query(text="figure"))] == [7]
        assert opened.run(1).payload["kept"]
        with opened._database.reading() as connection:
            found = connection.exec_driver_sql("SELECT rowid FROM image_search WHERE image_search MATCH 'apple'")
            assert found.scalar() == 1
    with sqlite3.connect(workspace.root / "catalog.db.bak-0001") as kept:
        assert kept.execute("SELECT name FROM artifact").fetchall() == [("kip",)]
        assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


def test_a_migration_that_fails_leaves_the_catalog_as_it_was(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_first_schema(workspace)
    upgrade = migrations.upgrade

    def fail(connection: Connection) -> None:
        upgrade(connection)
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(migrations, "upgrade", fail)
        with pytest.raises(ZeroDivisionError):
            Catalog.open(workspace)
    assert database._revision(workspace.catalog) == "0001"
    with Catalog.open(workspace) as opened:
        assert opened.resolve("kip").id == 7


def test_a_file_that_is_no_database_is_named(workspace: Workspace) -> None:
    workspace.root.mkdir()
    workspace.catalog.write_bytes(b"not a database, not at all" * 100)
    with pytest.raises(BrokenFile, match=r"catalog\.db"):
        Catalog.open(workspace)


def test_a_failed_write_leaves_nothing(catalog: Catalog) -> None:
    def write_and_fail() -> None:
        with catalog._database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO run VALUES (1, 'train', '{}', 'x', 1, '', '', NULL, NULL)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with catalog._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM run").scalar() == 0


def test_writers_wait_for_each_other(catalog: Catalog) -> None:
    def write() -> None:
        for _ in range(20):
            catalog.begin_run("generate", {})

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert catalog.run(80).kind == "generate"


def test_a_writer_that_waited_too_long_says_so(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0)
    with Catalog.create(workspace) as catalog, sqlite3.connect(workspace.catalog) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Conflict, match="another process"):
            catalog.begin_run("train", {})


def test_a_catalog_on_a_read_only_disk_can_be_looked_at(workspace: Workspace, small_disk: Path) -> None:
    with Catalog.create(workspace) as catalog:
        catalog.begin_run("train", {})
    disk = small_disk.parent / "read-only"
    disk.mkdir()
    subprocess.run(["mount", "--bind", str(workspace.root), str(disk)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(disk)], check=True)
        with Catalog.open(Workspace(disk)) as catalog:
            assert catalog.list() == ()
            assert catalog.run(1).kind == "train"
            with pytest.raises(ModelHubError, match="cannot be written"):
                catalog.begin_run("train", {})
        set_revision(workspace, "0001")
        with pytest.raises(ModelHubError, match="cannot be written"):
            Catalog.open(Workspace(disk))
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_folder_that_cannot_be_written_is_named(workspace: Workspace) -> None:
    Catalog.create(workspace).close()
    with Catalog.open(workspace) as catalog, catalog._database.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        with pytest.raises(ModelHubError, match="cannot be written"), database._explained(workspace.catalog):
            connection.exec_driver_sql("DELETE FROM run")


def test_paths_of_the_workspace_do_not_depend_on_where_we_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Catalog.create(Workspace(Path("here"))) as catalog:
        number = catalog.begin_run("generate", {})
        catalog.pictures.record(number, Path("here/outputs/1.png"), sha256="", width=1, height=1, infotext="")
        assert catalog.run(number).images[0].path == tmp_path / "here" / "outputs" / "1.png"


def test_a_full_disk_is_named_and_nothing_is_half_written(catalog: Catalog) -> None:
    with catalog._database.reading() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite keeps to what the file has by now
    with pytest.raises(OutOfResources, match="disk is full"):
        catalog.begin_run("train", {"text": "x" * 1_000_000})
    assert catalog.count() == 0


def test_facts_of_a_newer_schema_are_refused(catalog: Catalog) -> None:
    row = {
        "name": "x",
        "kind": "lora",
        "facts": '{"schema": 2, "kind": "lora"}',
        "added_at": "2026-01-01T00:00:00+00:00",
    }
    with catalog._database.writing() as connection:
        connection.execute(tables.artifact.insert().values(**row))
    with pytest.raises(ModelHubError, match="newer schema 2"):
        catalog.list()
