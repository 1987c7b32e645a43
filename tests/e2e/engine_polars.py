"""A day of Polars: its own reader and writer, on tables that PyIceberg's catalog loads."""
import polars
from engine_day import pyiceberg_catalog, tell

catalog = pyiceberg_catalog()
catalog.create_namespace_if_not_exists("polars")
FRAME = polars.DataFrame({"id": [1, 2], "name": ["a", "b"]})


def table(name):
    return catalog.load_table(name)


def read(name):
    return polars.scan_iceberg(table(name)).sort("id").collect().rows()


def sink(name):
    """Its own writer is given the keys of the table; its reader takes them by itself."""
    keys = {k: v for k, v in table(name).io.properties.items() if k.startswith(("s3.", "client."))}
    return FRAME.lazy().sink_iceberg(table(name), mode="append", storage_options=keys) is not None


tell("create", lambda: catalog.create_table("polars.t", schema=FRAME.to_arrow().schema).name())
tell("write", lambda: FRAME.write_iceberg(table("polars.t"), mode="append"))
tell("read", lambda: read("polars.t"))
tell("sink", lambda: sink("polars.t"))
tell("read again", lambda: read("polars.t"))
tell("filter", lambda: polars.scan_iceberg(table("polars.t")).filter(polars.col("id") > 1).collect().height)
tell("own", lambda: read("sales.own"))
tell("crossing", lambda: read("sales.crossing"))
