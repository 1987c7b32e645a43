"""Trino: a day's work of a server of one node, with vended keys at a real RGW."""
from engines import Engine


class Trino(Engine):
    script = "engine_trino.py"

    def test_it_reads_what_it_wrote(self):
        self.assertEqual(self.gave("SELECT id, name FROM fd.trino.t ORDER BY id"), [[2, "b"], [3, "x"]])
        self.assertEqual(self.gave("SELECT count(*) FROM fd.trino.copied"), [[2]])
        self.assertEqual(self.gave("SELECT id FROM fd.trino.v"), [[3]])

    def test_what_it_drops_is_gone_from_the_bucket(self):
        """Its DROP TABLE asks for a purge; a view has none."""
        self.wait_until_purged("s3://warehouse/lake/trino", but="/v-")
