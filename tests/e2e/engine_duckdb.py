"""A day of DuckDB: it knows of the catalog only what engine_day.py takes from its environment."""
import glob
import os
import site

import duckdb
from engine_day import CREDENTIAL, SCOPE, TOKENS, URI, run, tell

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


def attach(connection, warehouse="analytics", name="fd"):
    for extension in ("httpfs", "avro", "iceberg"):
        connection.execute("LOAD '%s'" % glob.glob(os.path.join(
            site.getsitepackages()[0], f"duckdb_extension_{extension}", "extensions", "*", "*.duckdb_extension"))[0])
    identity, secret = CREDENTIAL.split(":")
    connection.execute(f"CREATE SECRET s (TYPE iceberg, CLIENT_ID '{identity}', CLIENT_SECRET '{secret}', "
                       f"OAUTH2_SCOPE '{SCOPE}', OAUTH2_SERVER_URI '{TOKENS}')")
    connection.execute(f"ATTACH '{warehouse}' AS {name} (TYPE iceberg, ENDPOINT '{URI}', SECRET s)")


def widen(table):
    """DuckDB keeps to the places that a key is for; it is made to try the key of a table everywhere."""
    kept = execute(f"SELECT secret_string FROM duckdb_secrets(redact=false) WHERE name LIKE '%sales__{table}__%'")
    key = dict(part.split("=", 1) for part in kept[0][0].split(";") if "=" in part)
    execute(f"CREATE OR REPLACE SECRET wide (TYPE s3, KEY_ID '{key['key_id']}', SECRET '{key['secret']}', "
            f"SESSION_TOKEN '{key['session_token']}', ENDPOINT '{key['endpoint']}', REGION '{key['region']}', "
            f"URL_STYLE 'path', USE_SSL false, SCOPE 's3://')")


def cross():
    execute("SELECT count(*) FROM fd.sales.crossing")
    widen("crossing")
    return execute("SELECT id FROM fd.sales.crossing")


connection = duckdb.connect(config={"allow_unredacted_secrets": "true"})


def execute(statement):
    return connection.execute(statement).fetchall()


if __name__ == "__main__":
    attach(connection)
    run(DAY, execute)
    tell("own", lambda: execute("SELECT id FROM fd.sales.own"))
    tell("crossing", cross)
