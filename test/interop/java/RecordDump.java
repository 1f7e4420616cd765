import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;

/**
 * Writes a line for each record of some topics, partition by partition, with everything a consumer
 * can know of it: two dumps are equal when two brokers serve the same records.
 * Arguments: address, isolation level, file, topic=partitions...
 */
public final class RecordDump {
    public static void main(String[] arguments) throws Exception {
        List<TopicPartition> partitions = new ArrayList<>();
        for (int index = 3; index < arguments.length; index++) {
            String[] topic = arguments[index].split("=");
            partitions.addAll(Common.partitions(topic[0], Integer.parseInt(topic[1])));
        }
        Map<TopicPartition, List<String>> lines = new LinkedHashMap<>();
        for (TopicPartition partition : partitions) lines.put(partition, new ArrayList<>());
        String isolation = "isolation.level=" + arguments[1];
        try (KafkaConsumer<byte[], byte[]> consumer = Common.consumer(arguments[0], isolation)) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> starts = consumer.beginningOffsets(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            lines.forEach((at, found) ->
                found.add(at + " from " + starts.get(at) + " to " + ends.get(at)));
            while (!partitions.stream().allMatch(at -> Common.isRead(consumer, at, ends.get(at)))) {
                for (ConsumerRecord<byte[], byte[]> at : consumer.poll(Duration.ofSeconds(1))) {
                    lines.get(new TopicPartition(at.topic(), at.partition())).add(line(at));
                }
            }
        }
        Files.write(Path.of(arguments[2]), lines.values().stream().flatMap(List::stream).toList());
    }

    private static String line(ConsumerRecord<byte[], byte[]> at) {
        StringBuilder headers = new StringBuilder();
        for (Header header : at.headers()) {
            headers.append(' ').append(header.key()).append(':').append(digest(header.value()));
        }
        return at.topic() + '-' + at.partition() + ' ' + at.offset() + ' '
            + at.timestampType() + ' ' + at.timestamp()
            + " epoch " + at.leaderEpoch().orElse(-1)
            + ' ' + digest(at.key()) + ' ' + digest(at.value()) + headers;
    }

    private static String digest(byte[] bytes) {
        if (bytes == null) return "null";
        if (bytes.length <= 16) return "0x" + HexFormat.of().formatHex(bytes);
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return bytes.length + "/" + Long.toHexString(crc.getValue());
    }
}
