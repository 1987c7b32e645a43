import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/** A day of Flink, in one process: each step as a JSON line with its name and what it gave. */
public class engine_flink {
  private static final List<String> DAY =
      List.of(
          "CREATE DATABASE fd.flink",
          "CREATE TABLE fd.flink.t (id BIGINT, name STRING)",
          "INSERT INTO fd.flink.t VALUES (1, 'a'), (2, 'b')",
          "SELECT id, name FROM fd.flink.t ORDER BY id",
          "INSERT OVERWRITE fd.flink.t VALUES (3, 'c')",
          "SELECT id, name FROM fd.flink.t",
          "ALTER TABLE fd.flink.t SET ('comment' = 'of Flink')",
          "DROP TABLE fd.flink.t");

  private final TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.inBatchMode());
  private final ObjectMapper json = new ObjectMapper();

  public static void main(String[] arguments) throws Exception {
    engine_flink day = new engine_flink();
    day.attach(System.getenv());
    for (String statement : DAY) {
      day.tell(statement, statement);
    }
    day.tell("own", "SELECT id FROM fd.sales.own");
    day.tell("crossing", "SELECT id FROM fd.sales.crossing");
  }

  private void attach(Map<String, String> known) {
    String settings =
        "'type'='iceberg', 'catalog-type'='rest', 'warehouse'='analytics', "
            + "'header.X-Iceberg-Access-Delegation'='vended-credentials', "
            + String.format("'uri'='%s', 'oauth2-server-uri'='%<s/v1/oauth/tokens', ", known.get("URI"))
            + String.format("'credential'='%s', 'scope'='%s'", known.get("CREDENTIAL"), known.get("SCOPE"));
    tables.executeSql("CREATE CATALOG fd WITH (" + settings + ")");
  }

  private void tell(String name, String statement) throws Exception {
    Object outcome;
    try {
      outcome = rows(statement);
    } catch (Throwable e) { // whatever an engine throws is the outcome
      outcome = "failed: " + chain(e);
    }
    System.out.println(json.writeValueAsString(List.of(name, outcome)));
  }

  private List<List<Object>> rows(String statement) throws Exception {
    TableResult result = tables.executeSql(statement);
    List<List<Object>> rows = new ArrayList<>();
    result.await();
    if (statement.startsWith("INSERT")) {
      return rows;
    }
    try (CloseableIterator<Row> found = result.collect()) {
      while (found.hasNext()) {
        rows.add(fields(found.next()));
      }
    }
    return rows;
  }

  private static List<Object> fields(Row row) {
    List<Object> fields = new ArrayList<>();
    for (int i = 0; i < row.getArity(); i++) {
      fields.add(row.getField(i));
    }
    return fields;
  }

  private static String chain(Throwable e) {
    return e == null ? "" : e + "; " + chain(e.getCause());
  }
}
