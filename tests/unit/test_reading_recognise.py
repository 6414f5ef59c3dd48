"""How files are written is recognised from their starts; what is not certain is asked for."""

import gzip
import json
from pathlib import Path

import pytest

from pipelines.core.errors import UsageError
from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.files import FileTable
from pipelines.data.reading.recognise import Recognised, recognised
from pipelines.data.reading.sniff import SaidDialect
from tests.workbooks import workbook

ROWS = [("id", "at", "city"), *((str(n), f"2026-03-{n:02d}", "Köln") for n in range(1, 9))]


def text_of(delimiter: str = ",") -> str:
    return "".join(delimiter.join(row) + "\n" for row in ROWS)


def found(folder: Path, files: dict[str, bytes], said: SaidDialect = SaidDialect()) -> Recognised:  # noqa: B008
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    location = folder / next(iter(files)) if len(files) == 1 else folder
    return recognised(FileTable(str(location), (folder,)), said)


@pytest.mark.parametrize(
    ("name", "content", "dialect", "told"),
    [
        ("a.csv", text_of().encode(), Dialect(), ()),
        ("a.csv", text_of(";").encode(), Dialect(delimiter=";"), ("delimiter: semicolon",)),
        ("a.tsv", text_of("\t").encode(), Dialect(delimiter="\t"), ("delimiter: tab",)),
        (
            "a.csv",
            text_of("|").encode("cp1252"),
            Dialect(encoding="cp1252", delimiter="|"),
            ("encoding: Windows-1252 (cp1252), such as in 'Köln'", "delimiter: bar"),
        ),
        (
            "a.csv",
            text_of().encode("utf-16"),
            Dialect(encoding="utf-16"),
            ("encoding: utf-16, by its byte order mark",),
        ),
        (
            "a.csv",
            text_of().encode("utf-16-le"),
            Dialect(encoding="utf-16-le"),
            ("encoding: utf-16-le, by its NUL bytes",),
        ),
        ("a.csv.gz", gzip.compress(text_of(";").encode(), mtime=0), Dialect(delimiter=";"), ...),
        (
            "a.csv",
            ("Export of today\n\n" + text_of()).encode(),
            Dialect(skipped_lines=2),
            ("header: in line 3, what is above is left alone",),
        ),
        (
            "a.csv",
            ("sep=;\n" + text_of(";")).encode(),
            Dialect(delimiter=";", skipped_lines=1),
            ...,
        ),
        (
            "a.json",
            json.dumps({"of": "today", "data": [{"id": 1}, {"id": 2}]}).encode(),
            Dialect(records="data"),
            ("records: the list data",),
        ),
        ("a.jsonl", b'{"data": [{"id": 1}]}\n', Dialect(), ()),
        ("a.csv", b"", Dialect(), ()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_is_recognised(tmp_path, name, content, dialect, told):
    got = found(tmp_path, {name: content})
    assert got.dialect == dialect
    assert told is ... or tuple(got.told) == told


def test_of_a_folder_the_files_with_something_in_them_count(tmp_path):
    plain = text_of(";").replace("ö", "oe").encode()
    files = {"1.csv": b"", "2.csv": plain, "3.csv": text_of(";").encode("cp1252"), "_4.csv": b"x"}
    got = found(tmp_path, files)
    assert got.dialect == Dialect(encoding="cp1252", delimiter=";")
    assert got.told == (
        "left alone, as hidden, unfinished or no data: _4.csv",
        "encoding: Windows-1252 (cp1252), such as in 'Köln'",
        "delimiter: semicolon",
    )


def test_what_is_said_is_not_guessed(tmp_path):
    said = SaidDialect(encoding="latin-1", delimiter="|", quote="'", skipped_lines=0)
    got = found(tmp_path, {"a.csv": text_of(";").encode("latin-1")}, said)
    assert got == Recognised(Dialect(encoding="latin-1", delimiter="|", quote="'"))


def test_several_lists_kinds_or_encodings_are_asked_for(tmp_path):
    two = json.dumps({"a": [{"id": 1}], "b": [{"id": 2}]}).encode()
    with pytest.raises(UsageError, match="the lists a, b; say which has the records by --records"):
        found(tmp_path / "two", {"a.json": two})
    said = SaidDialect(records="b")
    assert found(tmp_path / "two", {"a.json": two}, said).dialect.records == "b"
    with pytest.raises(UsageError, match="files of delimited and json; name one of them"):
        found(tmp_path / "kinds", {"a.csv": text_of().encode(), "b.json": two})
    greek = text_of().replace("Köln", "Αθήνα").encode("iso8859-7")
    with pytest.raises(UsageError, match=r"a\.csv, line 2: byte 0xc1 is no UTF-8.*by --encoding"):
        found(tmp_path / "greek", {"a.csv": greek})


def test_what_nothing_can_be_read_by_is_refused():
    with pytest.raises(ValueError, match="--encoding 'utf-9' is none"):
        SaidDialect(encoding="utf-9")
    with pytest.raises(ValueError, match="not one character"):
        SaidDialect(delimiter="::")


def test_titles_above_a_sheet_and_its_name(tmp_path):
    titled = [["Export"], [], *map(list, ROWS)]
    got = found(tmp_path, {"a.xlsx": workbook({"Data": titled})})
    assert got.dialect == Dialect(skipped_lines=2)
    assert got.told == ("header: in line 3, what is above is left alone",)
    said = SaidDialect(sheet="Data")
    both = workbook({"Other": [["x"], [1]], "Data": list(map(list, ROWS))})
    assert found(tmp_path, {"a.xlsx": both}, said).dialect == Dialect(sheet="Data")
    with pytest.raises(UsageError, match="the sheets Other, Data; say which one by --sheet"):
        found(tmp_path, {"a.xlsx": both})


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        # The names alone show it: the words have apostrophes and double quotes, too.
        ("'id';'city'\n1;'O''Hare'\n2;'5\" x'\n", Dialect(delimiter=";", quote="'")),
        ("id,city\n1,O'Hare\n2,'tis\n", Dialect()),
        ("id,city\n1,O'Hare\n2,'x'\n", Dialect()),
        # Each line has one comma more than the header, but for the escape.
        ("a,b\n1\\,5,x\n2\\,5,y\n", Dialect(escape="\\")),
        ("a,b\nC:\\new,x\nD:\\,y\n", Dialect()),
        ('"a","b"\n1,"x \\"y\\""\n2,""\n', Dialect(escape="\\")),
        # A text of two lines that ends its first one as an escaped quote would.
        ('"a","b"\n1,"\\""\n#"\n2,"x"\n', Dialect()),
    ],
)
def test_quotes_and_escapes_are_those_by_which_the_lines_are_even(tmp_path, text, dialect):
    assert found(tmp_path, {"a.csv": text.encode()}).dialect == dialect


@pytest.mark.parametrize(
    ("cities", "encoding", "certain"),
    [
        (("Köln", "Malmö", "Besançon", "Århus"), "cp1252", True),
        (("Straße", "Tromsø", "Ålesund"), "cp1252", True),
        (("fête", "élève", "garçon", "où", "cœur"), "cp1252", True),
        # The same letters in both.
        (("Bogotá", "Medellín", "Cúcuta"), "cp1252", True),
        # Gdańsk or Gdañsk, Genève or Genčve, Rīga or Rîga, Málaga of an old PC.
        (("España",), "cp1252", False),
        (("Genève",), "cp1252", False),
        (("Gdańsk", "Plzeň", "Győr"), "cp1250", False),
        (("Rīga",), "cp1257", False),
        (("Málaga", "Straße"), "cp850", False),
    ],
)
def test_an_encoding_is_certain_where_no_other_makes_words_of_it(
    tmp_path, cities, encoding, certain
):
    text = "id,city\n" + "".join(f"{n},{city}\n" for n, city in enumerate(cities))
    content = {"a.csv": text.encode(encoding)}
    if certain:
        assert found(tmp_path, content).dialect.encoding == "cp1252"
    else:
        with pytest.raises(UsageError, match=r"it is not certain what else .*by --encoding"):
            found(tmp_path, content)
