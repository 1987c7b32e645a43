"""Polars: a read and a write by its own reader and writer, with vended keys at a real RGW."""
from engines import FOR_ARROW, Engine


class Polars(Engine):
    script = "engine_polars.py"
    clean = FOR_ARROW

    def test_it_reads_what_it_wrote(self):
        self.assertEqual(self.gave("read"), [[1, "a"], [2, "b"]])
        self.assertEqual(self.gave("read again"), [[1, "a"], [1, "a"], [2, "b"], [2, "b"]])
        self.assertEqual(self.gave("filter"), 2)
