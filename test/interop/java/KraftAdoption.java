import java.io.IOException;
import java.io.Reader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.metadata.bootstrap.BootstrapDirectory;
import org.apache.kafka.metadata.bootstrap.BootstrapMetadata;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/**
 * Makes a freshly formatted Kafka folder know the partition folders that lie in it: a KRaft broker
 * takes folders whose topic its metadata lacks for strays. The topics, with the ids that stand in
 * each partition.metadata, join the records with which the controller starts its metadata log.
 * Arguments: folder
 */
public final class KraftAdoption {
    private static final Uuid NO_ID = Uuid.ZERO_UUID;

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        Properties properties = load(folder.resolve("meta.properties"));
        int node = Integer.parseInt(properties.getProperty("node.id"));
        Uuid directory = Uuid.fromString(properties.getProperty("directory.id"));
        BootstrapDirectory bootstrap = new BootstrapDirectory(arguments[0]);
        List<ApiMessageAndVersion> records = new ArrayList<>(bootstrap.read().records());
        Set<Uuid> topics = new HashSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                if (entry.getFileName().toString().startsWith("__cluster_metadata")) continue;
                Uuid id = topicId(entry.resolve("partition.metadata"));
                if (id.equals(NO_ID)) continue;
                String name = entry.getFileName().toString();
                int dash = name.lastIndexOf('-');
                if (topics.add(id)) records.add(topic(name.substring(0, dash), id));
                int partition = Integer.parseInt(name.substring(dash + 1));
                records.add(partition(entry, id, partition, node, directory));
            }
        }
        bootstrap.writeBinaryFile(BootstrapMetadata.fromRecords(records, "the adopted folders"));
        System.out.println(topics.size());
    }

    private static ApiMessageAndVersion topic(String name, Uuid id) {
        return new ApiMessageAndVersion(new TopicRecord().setName(name).setTopicId(id), (short) 0);
    }

    /** A partition without a leader: its only replica is elected as soon as the broker is up. */
    private static ApiMessageAndVersion partition(
        Path folder, Uuid id, int index, int node, Uuid directory) throws IOException {
        PartitionRecord record = new PartitionRecord()
            .setTopicId(id)
            .setPartitionId(index)
            .setReplicas(List.of(node))
            .setIsr(List.of(node))
            .setLeader(-1)
            .setLeaderEpoch(lastEpoch(folder.resolve("leader-epoch-checkpoint")))
            .setPartitionEpoch(0)
            .setDirectories(List.of(directory));
        return new ApiMessageAndVersion(record, (short) 1);
    }

    private static Uuid topicId(Path file) throws IOException {
        if (!Files.exists(file)) return NO_ID;
        for (String line : Files.readAllLines(file)) {
            if (line.startsWith("topic_id: ")) return Uuid.fromString(line.substring(10));
        }
        throw new IllegalStateException(file + " has no topic_id");
    }

    private static int lastEpoch(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        if (lines.size() < 3) return 0;
        return Integer.parseInt(lines.get(lines.size() - 1).split(" ")[0]);
    }

    private static Properties load(Path file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        }
        return properties;
    }
}
