"""The doctor names what is wrong and the command that mends it."""

import sys
from pathlib import Path

import pytest

from cli.commands import doctor
from cli.commands.doctor import State, network_file_system
from modelhub.workspace import Workspace
from tests.cli.conftest import Run

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
nas:/models /mnt/my\\040nas nfs4 rw 0 0
//box/share /mnt/box cifs rw 0 0
/dev/sdb1 /mnt/my\\040nas/local ext4 rw 0 0
"""


def test_the_doctor_looks_at_everything(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_torch", lambda: iter(()))
    run("init")
    ran = run("doctor", "--json")
    found = {one["what"]: one["state"] for one in ran.json}
    expected = {"modelhub", "python", "extra inference", "extra train", "workspace"}
    assert found.keys() >= expected | {f"package {name}" for name in ("modelhub", "cli", "inference", "trainers")}
    assert found["workspace"] == "ok"
    assert all(found[f"package {name}"] == "ok" for name in ("modelhub", "cli"))


def test_a_missing_workspace_is_mended_by_init(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_torch", lambda: iter(()))
    ran = run("doctor")
    assert ran.out.splitlines()[-1] == "  modelhub init"
    assert ran.code == 0


def test_a_missing_package_is_mended_by_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_EXTRAS", {"train": ("pytest", "no-such-package-at-all")})
    (finding,) = doctor._packages()
    assert (finding.state, finding.mend) == (State.MISSING, "pip install 'modelhub-suite[train]'")
    assert "no-such-package-at-all" in finding.detail
    assert "pytest" not in finding.detail


HOME = Path("/site")
PLACES = {
    "ours": ([HOME / "inference"], [], State.OK),
    "gone": ([], [], State.BROKEN),
    "another's": ([Path("/other/inference")], ["inference"], State.BROKEN),
    "shared": ([HOME / "inference"], ["inference"], State.MISSING),
}


@pytest.mark.parametrize(("places", "others", "state"), PLACES.values(), ids=PLACES)
def test_a_package_is_ours_if_it_lies_beside_us_and_is_nobody_elses(
    places: list[Path], others: list[str], state: State
) -> None:
    finding = doctor._ownership("inference", places, HOME, others)
    assert finding.state is state
    assert (finding.mend is None) == (state is State.OK)


def test_a_torchvision_that_breaks_is_to_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    finding = doctor._torchvision()
    assert (finding.state, finding.mend) == (State.BROKEN, "pip uninstall -y torchvision")
    assert "nms" in finding.detail


def test_something_broken_fails_the_visit(run: Run, monkeypatch: pytest.MonkeyPatch, workspace: Workspace) -> None:
    monkeypatch.setattr(doctor, "_torch", lambda: iter(()))
    monkeypatch.setattr(doctor, "_mounts", lambda: f"nas:/x {workspace.root} nfs rw 0 0\n")
    run("init")
    ran = run("doctor")
    assert ran.code == 1
    assert "network file system (nfs)" in ran.out


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/home/me", None), ("/mnt/my nas/x", "nfs4"), ("/mnt/box", "cifs"), ("/mnt/my nas/local/x", None)],
)
def test_the_nearest_mount_tells_the_file_system(path: str, kind: str | None) -> None:
    assert network_file_system(Path(path), MOUNTS) == kind


def test_without_a_table_of_mounts_nothing_is_claimed() -> None:
    assert network_file_system(Path("/home"), "") is None
