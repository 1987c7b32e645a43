"""Daft: a read and a write by its own reader and writer, with vended keys at a real RGW."""
from engines import FOR_ARROW, Engine


class Daft(Engine):
    script = "engine_daft.py"
    clean = FOR_ARROW

    def test_it_reads_what_it_wrote(self):
        rows = {"id": [1, 2, 3], "name": ["a", "b", "c"]}
        self.assertEqual([self.gave("read"), self.gave("read by its catalog")], [rows, rows])
        self.assertEqual(self.gave("filter"), 2)
