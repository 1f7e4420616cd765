import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
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
        String isolation = "isolation.level=" + arguments[1];
        try (KafkaConsumer<byte[], byte[]> consumer = Common.consumer(arguments[0], isolation);
             PrintWriter output = new PrintWriter(Files.newBufferedWriter(Path.of(arguments[2])))) {
            for (int index = 3; index < arguments.length; index++) {
                String[] topic = arguments[index].split("=");
                for (TopicPartition at : Common.partitions(topic[0], Integer.parseInt(topic[1]))) {
                    dump(consumer, at, output);
                }
            }
        }
    }

    private static void dump(
        KafkaConsumer<byte[], byte[]> consumer, TopicPartition partition, PrintWriter output) {
        List<TopicPartition> partitions = List.of(partition);
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        long start = consumer.beginningOffsets(partitions).get(partition);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        output.println(partition + " from " + start + " to " + ends.get(partition));
        while (!Common.isRead(consumer, partition, ends.get(partition))) {
            for (ConsumerRecord<byte[], byte[]> at : consumer.poll(Duration.ofSeconds(1))) {
                output.println(line(at));
            }
        }
    }

    private static String line(ConsumerRecord<byte[], byte[]> at) {
        StringBuilder headers = new StringBuilder();
        for (Header header : at.headers()) {
            headers.append(' ').append(header.key()).append(':').append(digest(header.value()));
        }
        return at.topic() + '-' + at.partition() + ' ' + at.offset() + ' ' + at.timestampType() + ' '
            + at.timestamp() + " epoch " + at.leaderEpoch().orElse(-1) + ' '
            + digest(at.key()) + ' ' + digest(at.value()) + headers;
    }

    private static String digest(byte[] bytes) {
        if (bytes == null) return "null";
        if (bytes.length <= 16) return "0x" + HexFormat.of().formatHex(bytes);
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return bytes.length + "/" + Long.toHexString(crc.getValue());
    }
}
