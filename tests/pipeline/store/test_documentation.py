"""docs/store.md describes all that is in the store."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from pipeline.results.outcomes import OUTCOMES
from pipeline.store.engine import store_engine
from pipeline.store.models import Base
from pipeline.store.writer import export
from tests.pipeline.store.store_runs import FAILED, comparison, run_rows

PAGE = (Path(__file__).parents[3] / "docs" / "store.md").read_text()


@pytest.mark.parametrize("table", Base.metadata.tables)
def test_each_table_is_described(table: str) -> None:
    assert re.search(rf"^\|[^|]*`{table}`", PAGE, re.MULTILINE)


def test_each_reason_stands_with_its_outcome() -> None:
    described = dict(
        re.findall(r"^\| `(\w+)` \| `(passes|fails|not_judged)` \|", PAGE, re.MULTILINE)
    )

    assert described == dict(OUTCOMES)


def test_the_query_of_the_page_finds_what_fails(sqlite: str) -> None:
    export(sqlite, run_rows("r1", comparisons=[comparison(slice={"sex": "F"}, **FAILED)]))
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)

    with store_engine(sqlite) as engine, engine.connect() as connection:
        found = [(row.slicing, row.slice) for row in connection.execute(text(query))]
    assert found == [("sex", "F")]
