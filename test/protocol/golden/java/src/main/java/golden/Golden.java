package golden;

import java.nio.file.Files;
import java.nio.file.Path;

/** Writes the golden files of one version of Kafka into the folder given as the first argument. */
public final class Golden {
    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]).toAbsolutePath().normalize();
        Files.createDirectories(folder);
        boolean control = folder.endsWith("kafka-3.9");
        for (String api : control ? Messages.CONTROL_APIS : Messages.APIS) {
            Files.writeString(folder.resolve(api + ".tsv"), Messages.lines(api));
        }
        if (control) return;
        for (String group : Messages.RECORDS.keySet()) {
            Path records = Files.createDirectories(folder.resolve(group));
            for (String name : Messages.RECORDS.get(group)) {
                Files.writeString(records.resolve(name + ".tsv"), Messages.recordLines(group, name));
            }
        }
        Files.writeString(folder.resolve("ConsumerProtocol.tsv"), Messages.consumerProtocolLines());
        Files.writeString(folder.resolve("Headers.tsv"), Messages.headerLines());
        Files.writeString(folder.resolve("RecordBatches.tsv"), RecordBatches.lines());
    }

    private Golden() {}
}
