"""JSON in every form that people have: each record once, to the last digit, or why it is none."""

import json
import math
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.data.reading import json_text, json_window
from pipelines.data.reading.batches import CELL_CHARACTERS_MAX, LINE, PROBLEM, RAW, FileRefused
from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.json_text import JsonText, guess_records


def reader(content: str | bytes, records: str = "", **options: Any) -> JsonText:
    raw = content if isinstance(content, bytes) else content.encode()
    return JsonText(lambda: BytesIO(raw), "a.json", Dialect(records=records), **options)


def rows(found: JsonText, *columns: str) -> list[dict[str, Any]]:
    asked = columns or found.header()
    return [row for batch in found.batches(asked) for row in batch.to_pylist()]


def values(found: JsonText, *columns: str) -> list[tuple[str | None, ...]]:
    asked = columns or found.header()
    return [tuple(row[name] for name in asked) for row in rows(found, *asked)]


def problems(content: str | bytes, records: str = "") -> list[str | None]:
    return [row[PROBLEM] for row in rows(reader(content, records), "a")]


THREE = [("1", "x"), ("2", None), ("3", "z")]


@pytest.mark.parametrize(
    ("content", "records"),
    [
        ('{"a":1,"b":"x"}\n{"a":2}\n{"a":3,"b":"z"}\n', ""),
        ('{"a":1,"b":"x"}\r\n\r\n{"a":2}\r\n{"a":3,"b":"z"}', ""),
        ('{"a":1,"b":"x"}\r{"a":2}\r{"a":3,"b":"z"}\r', ""),
        ('{"a":1,"b":"x"},\n{"a":2},\n{"a":3,"b":"z"},\n', ""),
        ('[{"a":1,"b":"x"},{"a":2},{"a":3,"b":"z"}]', ""),
        ('[\n{"a":1,"b":"x"}\n,{"a":2}\n,{"a":3,"b":"z"}\n]\n', ""),
        (json.dumps([{"a": 1, "b": "x"}, {"a": 2}, {"a": 3, "b": "z"}], indent=2), ""),
        ('{\n "a":1,\n "b":"x"\n}\n{\n "a":2\n}\n{\n "a":3,"b":"z"\n}', ""),
        ('{"n":3,"data":[{"a":1,"b":"x"},{"a":2},{"a":3,"b":"z"}],"next":null}', "data"),
        ('{"r":{"n":[1],"hits":[{"a":1,"b":"x"},{"a":2},{"a":3,"b":"z"}]}}', "r.hits"),
        ('\ufeff{"a":1,"b":"x"}\n\ufeff{"a":2}\n{"a":3,"b":"z"}', ""),
        ('\ufeff[{"a":1,"b":"x"},{"a":2},{"a":3,"b":"z"}]'.encode("utf-16"), ""),
    ],
)
def test_every_form_gives_the_same_records(content, records):
    assert values(reader(content, records), "a", "b") == THREE
    assert reader(content, records).header() == ["a", "b"]


def test_numbers_and_nested_values_stay_what_stands_there():
    text = '{"id":1234567890123456789,"x":1.10,"y":{"lat":5e-1,"in":{"z":[1.0]}},"t":[1.0,"ü"]}'
    found = reader(text + '\n{"ok":true,"late":null,"y":{"lon":-0}}\n')
    assert found.header() == ["id", "x", "y.lat", "y.in", "y.lon", "t", "ok", "late"]
    assert found.flattened == ["y"]
    first, second = values(found)
    assert first[:4] == ("1234567890123456789", "1.10", "5e-1", '{"z": [1.0]}')
    assert json.loads(first[5] or "") == [1.0, "ü"]
    assert second[4:] == ("-0", None, "true", None)


def test_an_object_that_is_a_map_stays_one_column():
    lines = (f'{{"a":{{"k{n}":1}},"b":{{"k":1}}}}' for n in range(json_text.FLATTENED_FIELDS_MAX))
    full = "\n".join(lines)
    assert len(reader(full).header()) == json_text.FLATTENED_FIELDS_MAX + 1
    assert reader(full + '\n{"a":{"more":1}}').header() == ["a", "b.k"]
    assert values(reader('{"a":{"more":1.0}}'), "a") == [('{"more": 1.0}',)]


BROKEN = {
    '{"a":2': "no JSON: Expecting",
    '{"a":2,"a":3}': "field a is there twice",
    '{"a":"\\ud83d"}': 'a: "\\ud83d" is not Unicode text',
    '{"\\ud83d":1}': "a field's name is not Unicode text",
    '{"a":"x\ty"}': "Invalid control character",
    '{"a":"\0"}': "Invalid control character",
    '{"a":2,}': "Expecting property name",
    "{'a':2}": "Expecting property name",
    '{"a":nan}': "Expecting value",
    "[2]": "no JSON object",
    "7": "no JSON object",
    '"x"': "no JSON object",
    '{"a":2,"b":{"c":1},"b.c":2}': "a field with a dot in its name is there twice",
    '{"a":' * 10_000 + "1" + "}" * 10_000: "JSON nested too deep",
    f'{{"a":"{"x" * (CELL_CHARACTERS_MAX + 1)}"}}': "a: 1000001 characters, above 1000000",
}


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text[:20])
def test_a_broken_record_costs_itself_alone(text):
    for before, between, after in (("", "\n", ""), ("[", ",\n", "]"), ("[", ",", "]")):
        content = before + between.join(['{"a":1}', text, '{"a":3}', '{"a":4}']) + after
        if text == '{"a":2' and between == ",":
            continue  # no line end tells where it ends: see below
        found = rows(reader(content), "a")
        assert [row["a"] for row in found] == ["1", None, "3", "4"], content[:50]
        assert BROKEN[text] in found[1][PROBLEM]
        assert [row[PROBLEM] for row in found].count(None) == 3
        assert found[1][RAW].replace("\\x00", "\0") == text[:CELL_CHARACTERS_MAX]
        assert found[3][LINE] == (1 if between == "," else 4)
        found[1][RAW].encode()


def test_a_record_without_an_end_in_a_long_line_ends_where_the_next_begins():
    assert values(reader('[{"a":1},{"a":2,{"a":3},{"a":"x},{"a":5}]'), "a") == [
        *[("1",), (None,), ("3",), (None,), ("5",)]
    ]


def test_a_broken_record_of_many_lines_ends_at_the_next_of_its_margin():
    text = json.dumps([{"a": n, "in": [{"a": 9}, {"a": 8}]} for n in range(4)], indent=2)
    broken = text.replace('"a": 1,', '"a": "1,', 1)
    assert [v[0] for v in values(reader(broken), "a")] == ["0", None, "2", "3"]
    line = broken[: broken.index('"1,')].count("\n")
    assert rows(reader(broken), "a")[1][LINE] == line
    assert '"a": 8' in rows(reader(broken), "a")[1][RAW]


def test_what_is_cut_off_is_told():
    assert problems('[{"a":1},{"a":') == [None, "no JSON: Expecting value"]
    assert problems('[{"a":1},') == [None, "the file ends before the list does (])"]
    assert problems('[{"a":1}] {"a":2}') == [None, "behind the end of the list"]
    assert problems('{"data":[{"a":1}', "data") == [None, "the file ends before the list does (])"]


def test_a_byte_of_another_encoding_is_seen_and_costs_its_record():
    found = rows(reader(b'{"a":"K\xf6ln"}\n{"a":"ok"}\n'), "a")
    assert [row["a"] for row in found] == [None, "ok"]
    assert found[0][RAW] == '{"a":"K\\xf6ln"}'
    assert "\\xf6 is a byte of another encoding" in found[0][PROBLEM]
    latin = JsonText(lambda: BytesIO(b'{"a":"K\xf6ln"}'), "a", Dialect(encoding="cp1252"))
    assert values(latin) == [("Köln",)]


def test_not_a_number_is_the_text_that_stands_there():
    assert values(reader('{"a":NaN}\n{"a":-Infinity}\n')) == [("NaN",), ("-Infinity",)]


def test_a_giant_line_is_one_problem(monkeypatch):
    monkeypatch.setattr("pipelines.data.reading.json_records.RECORD_CHARACTERS_MAX", 20)
    found = rows(reader('{"a":1}\n{"a":"' + "x" * 50 + '"}\n{"a":3}\n'), "a")
    assert [(row["a"], row[LINE], row[PROBLEM]) for row in found] == [
        ("1", 1, None),
        (None, 2, "more than 20 characters"),
        ("3", 3, None),
    ]


def test_where_a_string_is_due_nothing_else_is_one_and_elsewhere_it_keeps_its_quotes():
    strict = reader(
        '{"s":"7","n":7,"more":{"x":1}}\n{"s":7,"n":1}\n{"s":"x","n":"7"}\n{"s":null}\n'
        '{"s":"x","n":{"b":[1.0]}}\n{"s":"x","n":true}\n',
        string_columns=frozenset("s"),
        required=frozenset("n"),
    )
    found = rows(strict, "s", "n")
    assert [(row["s"], row["n"]) for row in found] == [
        *[("7", "7"), (None, None), ("x", '"7"'), (None, None)],
        *[("x", '{"b": [1.0]}'), ("x", "true")],
    ]
    assert found[1][PROBLEM] == "s: 7 is not a string"
    assert found[3][PROBLEM] == "field n is missing"
    assert strict.unknown == {"more", "more.x"}


def test_unknown_fields_are_those_that_nobody_asked_for():
    found = reader('{"a":1,"b":{"c":1,"d":2},"e":{"f":1}}\n{"z":1}')
    assert rows(found, "a", "b.c", "e")[0]["e"] == '{"f": 1}'
    assert found.unknown == {"b.d", "z"}


@pytest.mark.parametrize(
    ("content", "records"),
    [
        ('{"meta":{"columns":[{"n":1}]},"data":[{"a":1}]}', "data"),
        ('{"hits":{"total":1,"hits":[{"a":1}]}}', "hits.hits"),
        ('{"ids":[1,2],"data":[{"a":1}]}', "data"),
        ('{"count":0,"data":[]}', "data"),
        ('{"a":1,"b":[{"c":1}]}\n{"a":2,"b":[]}\n', ""),
        ('[{"a":[{"b":1}]}]', ""),
        ('{"a":1}', ""),
        ('{"a":', ""),
        ("", ""),
    ],
)
def test_the_list_of_an_envelope_is_found(content, records):
    assert guess_records(lambda: BytesIO(content.encode()), "a.json") == records


def test_two_lists_are_asked_for_and_a_wrong_one_says_which_there_are():
    two = '{"buyers":[{"a":1}],"sellers":[{"a":2}]}'
    with pytest.raises(FileRefused, match="has the lists buyers, sellers; say which"):
        guess_records(lambda: BytesIO(two.encode()), "a.json")
    with pytest.raises(FileRefused, match="has no list data; it has buyers, sellers"):
        rows(reader(two, "data"), "a")
    assert values(reader(two, "sellers")) == [("2",)]


def test_a_file_of_no_objects_is_refused_with_its_first_problem():
    with pytest.raises(FileRefused, match="has no record that can be read; line 1: no JSON object"):
        reader("[[1,2],[3,4]]").header()
    assert reader("").header() == reader("\n \n").header() == reader("[]").header() == []


def test_b19_too_many_columns_are_refused():
    wide = json.dumps({f"c{n}": n for n in range(1_001)})
    with pytest.raises(FileRefused, match="has 1001 columns, above 1000"):
        reader(wide).header()


_PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_NESTED = st.recursive(_PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
_RECORDS = st.lists(st.fixed_dictionaries({"a": _PLAIN, "b": _NESTED}), min_size=1, max_size=8)


@pytest.mark.parametrize("chunk", [1, 7, 2**16])
@given(records=_RECORDS, indent=st.sampled_from([None, 1]), form=st.sampled_from("LAE"))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_whatever_is_written_comes_back(chunk, records, indent, form):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_window, "_CHUNK_CHARACTERS", chunk)
        whole = {"L": records, "A": records, "E": {"m": {"x": [1]}, "data": records}}[form]
        text = json.dumps(whole, indent=indent)
        if form == "L":
            text = "\n".join(json.dumps(record, indent=indent) for record in records)
        found = values(reader(text, "data" if form == "E" else ""), "a", "b")
    assert len(found) == len(records)
    for (a, b), record in zip(found, records, strict=True):
        _same(a, record["a"])
        _same(b, record["b"])


def _same(text: str | None, value: Any) -> None:
    if isinstance(value, str) or value is None:
        assert text == value
    else:
        back = json.loads(text or "")
        assert back == value or math.isclose(back, value)


@given(st.data())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_scratched_line_is_still_one_record(data):
    lines = [json.dumps({"a": n, "b": "x,}]"}) for n in range(5)]
    row = data.draw(st.integers(0, 4))
    place = data.draw(st.integers(0, len(lines[row]) - 1))
    mark = data.draw(st.sampled_from('"{}[],:\\x\0\x1f'))
    lines[row] = lines[row][:place] + mark + lines[row][place + 1 :]
    found = rows(reader("\n".join(lines)), "a")
    assert [r[LINE] for r in found] == [1, 2, 3, 4, 5]
    assert [r["a"] for r in found if r[LINE] != row + 1] == [str(n) for n in range(5) if n != row]
