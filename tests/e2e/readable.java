import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.iceberg.TableMetadata;
import org.apache.iceberg.TableMetadataParser;
import org.apache.iceberg.view.ViewMetadataParser;

/** Says of each metadata file on stdin, a line of JSON, whether Iceberg's Java library opens it: ["view" or "table", text]. */
public class Readable {
    private static void open(String kind, String text) {
        if (kind.equals("view")) {
            ViewMetadataParser.fromJson(text);
            return;
        }
        TableMetadata m = TableMetadataParser.fromJson(text);
        m.schema();
        m.spec();
        m.sortOrder();
        m.currentSnapshot();
        m.snapshots();
        m.refs();
    }

    public static void main(String[] args) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null;) {
            JsonNode file = mapper.readTree(line);
            String why = "";
            try {
                open(file.get(0).asText(), file.get(1).asText());
            } catch (Exception e) {
                why = e.toString();
            }
            System.out.println(mapper.writeValueAsString(why));
        }
    }
}
