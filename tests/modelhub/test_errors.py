"""Every error has a code, an exit code and a docstring; the codes are what users were promised."""

import pytest

from modelhub import errors

TREE = [getattr(errors, name) for name in errors.__all__]
EXIT_CODES = {
    "BadValue": 2,
    "UnknownRef": 3,
    "NoWorkspace": 3,
    "AmbiguousRef": 4,
    "Incompatible": 4,
    "UnsafeFile": 6,
    "BrokenFile": 7,
    "OutOfResources": 8,
    "Interrupted": 130,
}


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_every_error_is_described_and_coded(error: type[errors.ModelHubError]) -> None:
    assert issubclass(error, errors.ModelHubError)
    assert error.__doc__
    assert error.code == error.code.lower()
    assert error.exit_code > 0


@pytest.mark.parametrize(("name", "exit_code"), EXIT_CODES.items())
def test_exit_codes_stay_as_promised(name: str, exit_code: int) -> None:
    assert getattr(errors, name).exit_code == exit_code


def test_an_unknown_reference_names_the_nearest() -> None:
    assert "did you mean kip or kit?" in errors.UnknownRef("kib", ["kip", "kit"]).message


def test_a_missing_package_says_what_to_install() -> None:
    assert errors.MissingPackage("torch", "inference").mend == "pip install 'modelhub-suite[inference]'"
