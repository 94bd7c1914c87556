"""The PostgreSQL server that the tests of the store and of the boards share."""

from __future__ import annotations

from benchmarks.postgres import DATABASE, Server

__all__ = ["DATABASE", "READER_PASSWORD", "WRITER_PASSWORD", "Server"]

WRITER_PASSWORD = "the writer's, for this test"
READER_PASSWORD = "the reader's, for this test"
