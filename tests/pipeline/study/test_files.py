"""How a study file names its files: below the data folder, as text that can be read."""

from __future__ import annotations

import encodings.aliases

import pytest

from pipeline.study.encodings import is_text_encoding
from tests.pipeline.study.hand_made_study import refusal, study


@pytest.mark.parametrize(
    "file",
    [
        *("/etc/passwd", "/", "..", "../dm.csv", "folder/../../dm.csv", "s3://bucket/dm.csv"),
        *("file:///etc/passwd", "dm\0.csv"),
    ],
)
def test_a_file_that_is_not_below_the_data_folder_is_refused(file: str) -> None:
    (line,) = refusal(datasets__dm__file=file)
    assert "datasets.dm.file: expected a path below the data folder" in line


@pytest.mark.parametrize("file", ["dm.csv", "folder/dm-*.csv", "./dm.csv", "visit..1.csv"])
def test_a_file_below_the_data_folder_is_accepted(file: str) -> None:
    assert study(datasets__dm__file=file).datasets["dm"].file == file


@pytest.mark.parametrize(
    "encoding", ["idna", "punycode", "rot13", "hex", "undefined", "utf-99", ""]
)
def test_an_encoding_that_is_none_of_files_is_refused(encoding: str) -> None:
    (line,) = refusal(datasets__dm__encoding=encoding)
    assert "datasets.dm.encoding: not a known text encoding" in line


@pytest.mark.parametrize("name", sorted(set(encodings.aliases.aliases.values())))
def test_what_counts_as_an_encoding_decodes_what_it_encodes(name: str) -> None:
    if is_text_encoding(name):
        assert "a,b\n".encode(name).decode(name) == "a,b\n"
    else:
        assert name in {
            *("base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec"),
            *("zlib_codec", "mbcs"),
        }


@pytest.mark.parametrize("delimiter", ["§", "“", '"', "\n", "\0"])
def test_a_delimiter_that_is_not_one_byte_between_fields_is_refused(delimiter: str) -> None:
    (line,) = refusal(datasets__dm__delimiter=delimiter)
    assert "datasets.dm.delimiter: expected one character of ASCII" in line
