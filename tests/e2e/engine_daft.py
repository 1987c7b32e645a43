"""A day of Daft: its own reader and writer, on tables that PyIceberg's catalog loads, and through its own catalog."""
import daft
from daft.catalog import Catalog
from engine_day import pyiceberg_catalog, tell

catalog = pyiceberg_catalog()
catalog.create_namespace_if_not_exists("daft")
FRAME = daft.from_pydict({"id": [1, 2], "name": ["a", "b"]})
mine = Catalog.from_iceberg(catalog)


def read(name):
    return daft.read_iceberg(catalog.load_table(name)).sort("id").to_pydict()


def write():
    return FRAME.write_iceberg(catalog.load_table("daft.t"), mode="append").to_pydict()["rows"]


tell("create", lambda: catalog.create_table("daft.t", schema=FRAME.to_arrow().schema).name())
tell("write", write)
tell("append", lambda: mine.get_table("daft.t").append(daft.from_pydict({"id": [3], "name": ["c"]})))
tell("read", lambda: read("daft.t"))
tell("read by its catalog", lambda: mine.get_table("daft.t").read().sort("id").to_pydict())
tell("filter", lambda: daft.read_iceberg(catalog.load_table("daft.t")).where(daft.col("id") > 1).count_rows())
tell("own", lambda: [[i] for i in read("sales.own")["id"]])
tell("crossing", lambda: read("sales.crossing"))
