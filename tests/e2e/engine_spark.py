"""A day of Spark: it knows of the catalog only what engine_day.py takes from its environment; what the store needs
comes from the server."""
import glob
import os
import sys
import time

from engine_day import CREDENTIAL, SCOPE, TOKENS, URI, run, tell
from pyspark.java_gateway import ensure_callback_server_started
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


LATER = 4070908800000  # the year 2099: everything is older


def catalog(name, warehouse):
    prefix = "spark.sql.catalog." + name
    return {prefix: "org.apache.iceberg.spark.SparkCatalog", prefix + ".type": "rest", prefix + ".uri": URI,
            prefix + ".warehouse": warehouse, prefix + ".credential": CREDENTIAL, prefix + ".scope": SCOPE,
            prefix + ".oauth2-server-uri": TOKENS,
            prefix + ".header.X-Iceberg-Access-Delegation": "vended-credentials"}


def session(jars):
    builder = SparkSession.builder.master("local[2]")
    for name, value in {
            "spark.driver.memory": "1g", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2",
            "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.jars": ",".join(jars),
            "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
            **catalog("fd", "analytics"), **catalog("brief", "brief")}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


class OneByOne:
    """A java.util.function.Consumer that deletes each path by a request of its own."""

    def __init__(self, table):
        self.io = table.io()

    def accept(self, path):
        self.io.deleteFile(path)

    class Java:
        implements = ["java.util.function.Consumer"]


class Tables:
    """Iceberg's own actions and files, below Spark's statements."""

    def __init__(self, spark):
        self.spark, self.iceberg = spark, spark._jvm.org.apache.iceberg
        ensure_callback_server_started(spark.sparkContext._gateway)

    def sql(self, statement):
        return [tuple(row) for row in self.spark.sql(statement).collect()]

    def table(self, name):
        return self.iceberg.spark.Spark3Util.loadIcebergTable(self.spark._jsparkSession, name)

    def actions(self):
        return self.iceberg.spark.actions.SparkActions.get(self.spark._jsparkSession)

    def with_history(self, name):
        """A table of one row whose older files nothing but its history needs, and a file that nothing needs."""
        self.sql(f"CREATE TABLE {name} (id BIGINT) USING iceberg")
        for i in range(3):
            self.sql(f"INSERT OVERWRITE {name} VALUES ({i})")
        table = self.table(name)
        self.put(table, "orphan")
        return table.location()

    @staticmethod
    def put(table, name):
        stream = table.io().newOutputFile(f"{table.location()}/data/{name}").create()
        stream.write(1)
        stream.close()

    def expire(self, name):
        table = self.table(name)
        return self.actions().expireSnapshots(table).expireOlderThan(LATER).retainLast(1) \
            .deleteWith(OneByOne(table)).execute().deletedDataFilesCount()

    def remove_orphans(self, name, one_by_one):
        table = self.table(name)
        action = self.actions().deleteOrphanFiles(table).olderThan(LATER).usePrefixListing(True)
        return len(list((action.deleteWith(OneByOne(table)) if one_by_one else action).execute().orphanFileLocations()))

    def purge_by_the_catalog(self, name):
        """What Spark's own DROP TABLE ... PURGE leaves to no catalog; Iceberg's interface does."""
        manager = self.spark._jsparkSession.sessionState().catalogManager()
        return manager.catalog("fd").icebergCatalog().dropTable(self.iceberg.catalog.TableIdentifier.parse(name), True)

    def outside(self, own, name):
        """Writes with the key of one table below another one."""
        stream = self.table(own).io().newOutputFile(self.table(name).location() + "/data/foreign").create()
        stream.write(1)
        stream.close()

    def slow_job(self, name):
        """Goes on with one table's files until its first key has expired, and then writes and reads once more."""
        self.sql("CREATE NAMESPACE IF NOT EXISTS brief.slow")
        self.sql(f"CREATE TABLE {name} (id BIGINT) USING iceberg")
        table = self.table(name)
        expires = int(table.io().properties()["s3.session-token-expires-at-ms"])
        self.put(table, "early")
        while time.time() * 1000 < expires + 1000:
            time.sleep(0.2)
        self.put(table, "late")
        return [table.io().newInputFile(f"{table.location()}/data/{n}").getLength() for n in ("early", "late")]


def main():
    spark = session(glob.glob(os.path.join(sys.prefix, "spark", "*.jar")))
    tables = Tables(spark)
    run(DAY, tables.sql)
    for name in ("expired", "orphaned", "purged", "dropped"):
        tell(name + " at", lambda n=name: tables.with_history("fd.spark." + n))
    tell("expire by statement", lambda: tables.sql(
        "CALL fd.system.expire_snapshots(table => 'spark.orphaned', older_than => TIMESTAMP '2040-01-01 00:00:00', retain_last => 1)"))
    tell("remove orphans in bulk", lambda: tables.remove_orphans("fd.spark.orphaned", False))
    tell("purge by statement", lambda: tables.sql("DROP TABLE fd.spark.purged PURGE"))
    tell("purge by the catalog", lambda: tables.purge_by_the_catalog("spark.dropped"))
    tell("expire one by one", lambda: tables.expire("fd.spark.expired"))
    tell("remove orphans one by one", lambda: tables.remove_orphans("fd.spark.expired", True))
    tell("slow job", lambda: tables.slow_job("brief.slow.t"))
    tell("own", lambda: tables.sql("SELECT id FROM fd.sales.own"))
    tell("crossing", lambda: tables.sql("SELECT id FROM fd.sales.crossing"))
    tell("write outside", lambda: tables.outside("fd.sales.own", "fd.sales.victim"))
    spark.stop()


if __name__ == "__main__":
    main()
