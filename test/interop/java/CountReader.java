import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Writes each committed record of a topic with text keys and long values, in the order of each
 * partition: "KEY VALUE". Arguments: address, topic, partitions, file
 */
public final class CountReader {
    public static void main(String[] arguments) throws Exception {
        List<TopicPartition> partitions =
            Common.partitions(arguments[1], Integer.parseInt(arguments[2]));
        try (KafkaConsumer<byte[], byte[]> consumer =
                 Common.consumer(arguments[0], "isolation.level=read_committed");
             PrintWriter output = new PrintWriter(arguments[3])) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (!partitions.stream().allMatch(at -> Common.isRead(consumer, at, ends.get(at)))) {
                for (ConsumerRecord<byte[], byte[]> at : consumer.poll(Duration.ofSeconds(1))) {
                    long count = ByteBuffer.wrap(at.value()).getLong();
                    output.println(new String(at.key()) + " " + count);
                }
            }
        }
    }
}
