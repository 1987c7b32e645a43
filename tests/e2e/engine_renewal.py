"""Hours of work in a minute: a client that stays in while its tokens and its credentials expire, at work and idle. What
it is to do next it is told on its standard input: a number of seconds to be at work, or the end."""
import glob
import json
import os
import sys
import time

from engine_day import pyiceberg_catalog

TABLE = os.environ["TABLE"]
WAREHOUSE = "brief"


def pyiceberg():
    import pyarrow

    rows = pyarrow.table({"id": pyarrow.array([1], pyarrow.int64())})
    catalog = pyiceberg_catalog(WAREHOUSE)
    catalog.create_table(("renewal", TABLE), schema=rows.schema)

    def step():
        table = catalog.load_table(("renewal", TABLE))
        table.append(rows)
        return table.scan().to_arrow().num_rows
    return step


def by_statements(execute, using=""):
    table = f"{WAREHOUSE}.renewal.{TABLE}"
    execute(f"CREATE TABLE {table} (id BIGINT){using}")

    def step():
        execute(f"INSERT INTO {table} VALUES (1)")
        return int(execute(f"SELECT count(*) FROM {table}")[0][0])
    return step


def duckdb():
    import engine_duckdb

    engine_duckdb.attach(engine_duckdb.connection, WAREHOUSE, WAREHOUSE)
    return by_statements(engine_duckdb.execute)


def spark():
    import engine_spark

    session = engine_spark.session(glob.glob(os.path.join(sys.prefix, "spark", "*.jar")))
    return by_statements(lambda s: [tuple(row) for row in session.sql(s).collect()], using=" USING iceberg")


def at_work(step, seconds):
    """How many rows there are at the end, and how many there should be."""
    until, done, rows = time.monotonic() + seconds, 0, 0
    while done == 0 or time.monotonic() < until:
        rows = step()
        done += 1
        time.sleep(0.5)
    return rows, done


def main():
    total = 0
    try:
        step = {"pyiceberg": pyiceberg, "duckdb": duckdb, "spark": spark}[sys.argv[1]]()
        for line in sys.stdin:
            rows, done = at_work(step, float(line))
            total += done
            print(json.dumps(["rows", rows, total]), flush=True)
    except Exception as e:  # whatever an engine throws is the outcome
        print(json.dumps(["failed", str(e)[:3000]]), flush=True)


main()
