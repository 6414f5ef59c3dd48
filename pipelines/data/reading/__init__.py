"""The one careful reader of anybody's files: for `millrace new`, `extract` and `ingest` alike.

A source is read as batches (`batches`), each kind of file by a module of its own; how a file is
written is its `Dialect`, how the values of a column are is their `Notation`. Values become typed in
one place (`values`). Nothing is dropped: a record that can't be read goes on with its text, its
line and the reason.
"""
