"""A day of Spark, in its own Python: every statement of the day as a JSON line with what it gave.

Knows of the catalog only $URI, $CREDENTIAL (ID:SECRET) and $SCOPE; what the store needs comes from the server."""
import glob
import json
import os
import sys

from pyspark.sql import SparkSession

ROWS = "SELECT id, name FROM fd.spark.t ORDER BY id"
DAY = f"""
CREATE NAMESPACE IF NOT EXISTS fd.spark
CREATE TABLE fd.spark.t (id BIGINT, g INT, name STRING) USING iceberg PARTITIONED BY (g)
INSERT INTO fd.spark.t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 1, 'c')
SELECT count(*) FROM fd.spark.t
UPDATE fd.spark.t SET name = 'x' WHERE id = 3
DELETE FROM fd.spark.t WHERE id = 1
{ROWS}
ALTER TABLE fd.spark.t SET TBLPROPERTIES ('write.delete.mode'='merge-on-read', 'write.update.mode'='merge-on-read', 'write.merge.mode'='merge-on-read')
MERGE INTO fd.spark.t t USING (SELECT 2 id, 2 g, 'bb' name UNION ALL SELECT 4, 2, 'd') u ON t.id = u.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *
UPDATE fd.spark.t SET name = 'y' WHERE id = 3
DELETE FROM fd.spark.t WHERE id = 4
{ROWS}
ALTER TABLE fd.spark.t ADD COLUMN extra STRING
ALTER TABLE fd.spark.t RENAME COLUMN extra TO more
ALTER TABLE fd.spark.t ALTER COLUMN g TYPE BIGINT
ALTER TABLE fd.spark.t ADD PARTITION FIELD bucket(4, id)
ALTER TABLE fd.spark.t DROP PARTITION FIELD g
INSERT INTO fd.spark.t VALUES (9, 9, 'z', 'e')
ALTER TABLE fd.spark.t CREATE BRANCH b1
INSERT INTO fd.spark.t.branch_b1 VALUES (10, 9, 'z', 'e')
SELECT count(*) FROM fd.spark.t VERSION AS OF 'b1'
ALTER TABLE fd.spark.t CREATE TAG t1
SELECT count(*) FROM fd.spark.t VERSION AS OF 't1'
CALL fd.system.rewrite_data_files(table => 'spark.t')
CALL fd.system.rewrite_manifests('spark.t')
ALTER TABLE fd.spark.t DROP BRANCH b1
CALL fd.system.expire_snapshots(table => 'spark.t', older_than => TIMESTAMP '2040-01-01 00:00:00', retain_last => 1)
CALL fd.system.remove_orphan_files(table => 'spark.t', prefix_listing => true, older_than => TIMESTAMP '2020-01-01 00:00:00')
{ROWS}
CREATE TABLE fd.spark.copied USING iceberg AS SELECT * FROM fd.spark.t
SELECT count(*) FROM fd.spark.copied
CREATE OR REPLACE TABLE fd.spark.copied USING iceberg AS SELECT id FROM fd.spark.t
SELECT count(*) FROM fd.spark.copied
ALTER TABLE fd.spark.copied RENAME TO spark.renamed
SELECT count(*) FROM fd.spark.renamed
CREATE VIEW fd.spark.v AS SELECT id FROM fd.spark.renamed
SELECT count(*) FROM fd.spark.v
CREATE OR REPLACE VIEW fd.spark.v AS SELECT id FROM fd.spark.renamed WHERE id > 2
SELECT count(*) FROM fd.spark.v
DROP VIEW fd.spark.v
CREATE TABLE fd.spark.third (id BIGINT) USING iceberg TBLPROPERTIES ('format-version' = '3')
INSERT INTO fd.spark.third VALUES (1), (2)
DELETE FROM fd.spark.third WHERE id = 1
SELECT id FROM fd.spark.third
DROP TABLE fd.spark.third
DROP TABLE fd.spark.t
"""


def session(jars):
    builder = SparkSession.builder.master("local[2]")
    for name, value in {
            "spark.driver.memory": "1g", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2",
            "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.jars": ",".join(jars),
            "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
            "spark.sql.catalog.fd": "org.apache.iceberg.spark.SparkCatalog", "spark.sql.catalog.fd.type": "rest",
            "spark.sql.catalog.fd.uri": os.environ["URI"], "spark.sql.catalog.fd.warehouse": "analytics",
            "spark.sql.catalog.fd.credential": os.environ["CREDENTIAL"], "spark.sql.catalog.fd.scope": os.environ["SCOPE"],
            "spark.sql.catalog.fd.oauth2-server-uri": os.environ["URI"] + "/v1/oauth/tokens",
            "spark.sql.catalog.fd.header.X-Iceberg-Access-Delegation": "vended-credentials"}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


spark = session(glob.glob(os.path.join(sys.prefix, "jars", "*.jar")))
for statement in DAY.strip().splitlines():
    try:
        print(json.dumps([statement, [tuple(row) for row in spark.sql(statement).collect()]], default=str), flush=True)
    except Exception as e:  # whatever an engine throws is the outcome
        print(json.dumps([statement, "failed: " + str(e)[:600]]), flush=True)
spark.stop()
