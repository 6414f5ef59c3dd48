"""Columns, statistics and batches: what reaches the weights, and in which order."""

import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
import torch

from models.columns import (
    Columns,
    label_vector,
    numeric_list,
    numeric_matrix,
    text_list,
    text_matrix,
)
from models.errors import DataRefused
from models.tabular_net.data import Rows, global_batches, share, to_rows
from models.tabular_net.preprocess import Preprocessing, count_unknown, encode, fit_statistics


def test_numbers_of_every_kind_and_b11_what_is_not_finite_is_missing() -> None:
    table = pa.table(
        {
            "double": [1.5, None, math.inf, -math.inf, 1e308],
            "whole": pa.array([1, None, 3, 4, 5], pa.int32()),
            "flag": [True, False, None, True, True],
            "decimal": pa.array([Decimal("1.25"), None, None, None, None], pa.decimal128(9, 2)),
            "nothing": pa.nulls(5),
        }
    )
    nan = math.nan
    found = numeric_matrix(table, table.column_names)
    expected = [
        [1.5, 1, 1, 1.25, nan],
        [nan, nan, 0, nan, nan],
        [nan, 3, nan, nan, nan],
        [nan, 4, 1, nan, nan],
        [nan, 5, 1, nan, nan],
    ]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array(expected, np.float32))


def test_texts_of_every_kind() -> None:
    table = pa.table(
        {
            "text": ["a", None, "c"],
            "hour": [0, 23, None],
            "coded": pa.array(["x", "y", None]).dictionary_encode(),
        }
    )
    expected = [["a", "0", "x"], ["", "23", "y"], ["c", "", ""]]
    assert text_matrix(table, table.column_names).tolist() == expected


def test_lists_are_their_items_and_where_each_row_begins() -> None:
    """Of a slice, too, whose first row is not the array's, and of a null that hides items."""
    hidden = pa.ListArray.from_arrays(
        pa.array([0, 2, 3, 3]), pa.array([7.0, 8.0, 9.0]), mask=pa.array([False, True, False])
    )
    table = pa.table(
        {
            "past": pa.chunked_array(
                [pa.array([[0.0], [1.5, None, math.inf], None, []])[1:], hidden]
            ),
            "films": [["a", None], [], None, ["1"], ["b"], ["c", "d"]],
            "numbers": pa.array([[3, 4], None, None, None, None, [5]], pa.list_(pa.int64())),
        }
    )
    values, offsets = numeric_list(table, "past")
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, np.array([1.5, math.nan, math.nan, 7, 8], np.float32))
    assert offsets.tolist() == [0, 3, 3, 3, 5, 5, 5]
    texts, offsets = text_list(table, "films")
    assert texts.to_pylist() == ["a", "", "1", "b", "c", "d"]
    assert offsets.tolist() == [0, 2, 2, 2, 3, 4, 6]
    assert text_list(table, "numbers")[0].to_pylist() == ["3", "4", "5"]
    for read, name, says in (
        (numeric_list, "films", "films: string is not a number"),
        (text_list, "past", "past: double is no category"),
        (numeric_list, "gone", "gone: the table has 0 columns"),
    ):
        with pytest.raises(DataRefused, match=says):
            read(table, name)
    with pytest.raises(DataRefused, match="one: string is no list"):
        text_list(pa.table({"one": ["a"]}), "one")


def test_columns_of_before_are_written_as_before() -> None:
    """Without lists: manifests and fingerprints of earlier versions stay what they are."""
    plain = Columns(numeric=("a",), categorical=("b",))
    assert plain.to_json() == {"numeric": ["a"], "categorical": ["b"]}
    lists = Columns(numeric=("a",), numeric_lists=("past",), categorical_lists=("films",))
    assert lists.inputs == ("a", "past", "films")
    assert lists.single == Columns(numeric=("a",))
    assert lists.schema.field("films").type == pa.list_(pa.string())
    for columns in (plain, lists):
        assert Columns.from_json(columns.to_json()) == columns
    with pytest.raises(ValueError, match="Columns: fields"):
        Columns.from_json({"numeric": ["a"], "categorical": [], "images": []})


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (pa.array(["1", "2"]), "number: string is not a number"),
        (pa.array([0, 1], pa.timestamp("us")), r"number: timestamp\[us\] is not a number"),
    ],
)
def test_a_column_that_holds_no_numbers_is_named(column: pa.Array, says: str) -> None:
    with pytest.raises(DataRefused, match=says):
        numeric_matrix(pa.table({"number": column}), ("number",))


def test_an_absent_or_doubled_column_is_named() -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(DataRefused, match="b: the table has 0 columns of that name"):
        numeric_matrix(table, ("b",))
    with pytest.raises(DataRefused, match="a: the table has 2 columns of that name"):
        numeric_matrix(table, ("a",))


def test_a_fraction_is_no_category() -> None:
    with pytest.raises(DataRefused, match="share: double is no category"):
        text_matrix(pa.table({"share": [0.1]}), ("share",))


@pytest.mark.parametrize("wrong", [None, 0.5, 2, math.nan])
def test_a_label_that_is_neither_0_nor_1_is_refused(wrong: float | None) -> None:
    table = pa.table({"label": pa.array([0.0, 1.0, wrong], pa.float64())})
    with pytest.raises(DataRefused, match="1 of 3 labels are neither 0 nor 1, the first in row 2"):
        label_vector("label", table["label"])


def test_edges_are_the_quantiles_of_the_known_values() -> None:
    table = pa.table({"x": [None, *range(101)], "y": [3.0] * 102, "z": pa.nulls(102)})
    columns = Columns(numeric=("x", "y", "z"))
    edges = fit_statistics(table, columns, Preprocessing(num_bins=4)).edges_FE
    assert edges.tolist() == [[0, 25, 50, 75, 100], [3.0] * 5, [0.0] * 5]


def test_b20_rare_and_unseen_categories_share_bucket_0() -> None:
    training = pa.table({"x": range(12), "c": ["b"] * 5 + ["a"] * 5 + ["rare", None]})
    columns = Columns(numeric=("x",), categorical=("c",))
    statistics = fit_statistics(training, columns, Preprocessing(min_category_rows=5))
    assert statistics.vocabularies == (("a", "b"),)
    later = pa.table({"x": range(5), "c": ["a", "b", "rare", "never seen", None]})
    assert encode(later["c"], ("a", "b")).to_pylist()[:4] == [1, 2, 0, 0]
    assert count_unknown(later, columns, statistics) == {"c": 3}


def test_a_missing_category_seen_often_is_a_category() -> None:
    training = pa.table({"x": range(4), "c": ["a", "a", None, None]})
    columns = Columns(numeric=("x",), categorical=("c",))
    statistics = fit_statistics(training, columns, Preprocessing(min_category_rows=2))
    assert statistics.vocabularies == (("", "a"),)
    assert count_unknown(training, columns, statistics) == {"c": 0}


def test_no_rows_are_refused() -> None:
    empty = pa.table({"x": pa.array([], pa.float64())})
    with pytest.raises(DataRefused, match="no rows"):
        fit_statistics(empty, Columns(numeric=("x",)), Preprocessing())


def test_rows_keep_values_codes_and_labels() -> None:
    table = pa.table({"x": [1.0, None], "c": ["a", "b"], "label": [True, False]})
    columns = Columns(numeric=("x",), categorical=("c",))
    statistics = fit_statistics(table, columns, Preprocessing(min_category_rows=1))
    label = label_vector("label", table["label"])
    rows = to_rows(table, columns, statistics, label)
    assert rows.numeric_BF[0].tolist() == [1.0]
    assert rows.numeric_BF[1].isnan().all()
    assert rows.codes_BC.tolist() == [[1], [2]]
    assert rows.label_B.tolist() == [1.0, 0.0]
    assert rows.digest() == to_rows(table, columns, statistics, label).digest()
    assert rows.digest() != rows.take(torch.tensor([1, 0])).digest()
    wide = Rows(rows.numeric_BF.T, rows.codes_BC, rows.label_B)
    assert rows.digest() != wide.digest()  # the same bytes in another shape


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 7])
def test_any_number_of_ranks_sees_the_same_global_batches(num_ranks: int) -> None:
    batches = global_batches(103, 25, seed=3, epoch=1)
    assert [len(batch) for batch in batches] == [21, 21, 21, 20, 20]
    assert sorted(torch.cat(list(batches)).tolist()) == list(range(103))
    for batch in batches:
        shares = [share(batch, rank, num_ranks) for rank in range(num_ranks)]
        assert torch.equal(torch.cat(shares), batch)


def test_each_epoch_has_its_own_order_and_a_seed_gives_it_again() -> None:
    orders = {
        (seed, epoch): torch.cat(list(global_batches(50, 10, seed, epoch))).tolist()
        for seed in (0, 1)
        for epoch in (0, 1)
    }
    assert len({tuple(order) for order in orders.values()}) == 4
    assert torch.cat(list(global_batches(50, 10, 1, 1))).tolist() == orders[1, 1]
