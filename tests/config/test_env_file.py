"""`.env` files as people write them, and as their editors and shells save them."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.config.env_file import clean, merged, read_env_file


def env_file(folder: Path, content: bytes) -> Path:
    path = folder / ".env"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"PORT=9000", "9000"),
        (b"PORT=9000\r\n", "9000"),
        (b"\xef\xbb\xbfPORT=9000\n", "9000"),
        (b"export PORT=9000", "9000"),
        (b"  PORT = 9000  ", "9000"),
        (b'PORT="9000"', "9000"),
        (b"PORT='9000' # web", "9000"),
        (b"PORT=9000 # web", "9000"),
        (b"PORT=9000#web", "9000#web"),
        (b"PORT=1\nPORT=9000", "9000"),
        (b"PORT=${HOME}$x", "${HOME}$x"),
        (b"PORT=", ""),
        (b"# PORT=1\n\nPORT=9000", "9000"),
        ("PORT=für".encode(), "für"),
    ],
)
def test_a_line_is_read_as_it_is_meant(tmp_path: Path, line: bytes, value: str) -> None:
    assert read_env_file(env_file(tmp_path, line)) == ({"PORT": value}, [])


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"PORT: 9000\n", 1),
        (b"PORT=1\n\n# c\nsk-canary\n", 4),
        (b"PORT=1\r\n\r\nA='canary\r\n", 3),
        (b"=canary\n", 1),
    ],
)
def test_a_line_that_is_none_is_named_but_not_repeated(
    tmp_path: Path, content: bytes, line: int
) -> None:
    _, [problem] = read_env_file(env_file(tmp_path, content))
    assert problem.setting == f".env line {line}"
    assert "canary" not in problem.what


def test_no_file_is_no_problem_unless_one_was_named(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / ".env") == ({}, [])
    _, [problem] = read_env_file(tmp_path / "production.env")
    assert (problem.setting, problem.what) == ("production.env", "does not exist")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("PORT=1".encode("utf-16"), "UTF-16"),
        ("NAME=für".encode("latin-1"), "UTF-8"),
    ],
)
def test_a_file_in_another_encoding_is_a_problem(tmp_path: Path, content: bytes, word: str) -> None:
    found, [problem] = read_env_file(env_file(tmp_path, content))
    assert found == {}
    assert word in problem.what


@pytest.mark.parametrize("name", ["", "folder", "no\0name"])
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    _, [problem] = read_env_file(tmp_path / name)
    assert problem.what.startswith("cannot be read: ")


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("  x ", "x"),
        ('"x"', "x"),
        ("'x'", "x"),
        ("'x\"", "'x\""),
        ('"', '"'),
        ("\t\r\n", ""),
        ("''", ""),
        ("# set after creating the webhook", ""),
        ("a#b", "a#b"),
    ],
)
def test_what_does_not_belong_to_a_value_is_taken_off(value: str, cleaned: str) -> None:
    assert clean(value) == cleaned


def test_the_environment_wins_but_a_blank_in_it_hides_nothing() -> None:
    file = {"A": "file", "B": "file", "C": " "}
    assert merged(file, {"A": "environment", "B": "  "}) == {"A": "environment", "B": "file"}
