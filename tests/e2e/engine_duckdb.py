"""A day of DuckDB, in its own Python: every statement of the day as a JSON line with what it gave.

Knows of the catalog only $URI, $CREDENTIAL (ID:SECRET) and $SCOPE."""
import glob
import json
import os
import site

import duckdb

DAY = """
CREATE TABLE fd.sales.duck (id BIGINT, name VARCHAR)
INSERT INTO fd.sales.duck VALUES (1, 'a'), (2, 'b')
SELECT count(*) FROM fd.sales.duck
CREATE TABLE fd.sales.copied AS SELECT * FROM fd.sales.duck
SELECT count(*) FROM fd.sales.copied
DELETE FROM fd.sales.duck WHERE id = 1
SELECT id, name FROM fd.sales.duck
DROP TABLE fd.sales.copied
"""


def attach(connection):
    for name in ("httpfs", "avro", "iceberg"):
        connection.execute("LOAD '%s'" % glob.glob(os.path.join(
            site.getsitepackages()[0], f"duckdb_extension_{name}", "extensions", "*", "*.duckdb_extension"))[0])
    identity, secret = os.environ["CREDENTIAL"].split(":")
    connection.execute(f"CREATE SECRET s (TYPE iceberg, CLIENT_ID '{identity}', CLIENT_SECRET '{secret}', "
                       f"OAUTH2_SCOPE '{os.environ['SCOPE']}', OAUTH2_SERVER_URI '{os.environ['URI']}/v1/oauth/tokens')")
    connection.execute(f"ATTACH 'analytics' AS fd (TYPE iceberg, ENDPOINT '{os.environ['URI']}', SECRET s)")


connection = duckdb.connect()
attach(connection)
for statement in DAY.strip().splitlines():
    try:
        print(json.dumps([statement, connection.execute(statement).fetchall()]), flush=True)
    except Exception as e:  # whatever an engine throws is the outcome
        print(json.dumps([statement, "failed: " + str(e)]), flush=True)
