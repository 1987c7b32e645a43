"""DuckDB: a day's work with vended keys at a real RGW."""
from engines import Engine


class DuckDb(Engine):
    script = "engine_duckdb.py"

    def test_it_reads_what_it_wrote(self):
        self.assertEqual(self.gave("SELECT count(*) FROM fd.sales.duck"), [[2]])
        self.assertEqual(self.gave("SELECT count(*) FROM fd.sales.copied"), [[2]])
        self.assertEqual(self.gave("SELECT id, name FROM fd.sales.duck"), [[2, "b"]])
