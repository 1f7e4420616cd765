import java.io.BufferedWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Writes "number offset" for each record that AckedProducer left in a partition.
 * Arguments: address, topic, file
 */
public final class AckedConsumer {
    public static void main(String[] arguments) throws Exception {
        List<TopicPartition> partitions = Common.partitions(arguments[1], 1);
        try (KafkaConsumer<byte[], byte[]> consumer = Common.consumer(arguments[0]);
             BufferedWriter output = Files.newBufferedWriter(Path.of(arguments[2]))) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (!partitions.stream().allMatch(at -> Common.isRead(consumer, at, ends.get(at)))) {
                for (ConsumerRecord<byte[], byte[]> at : consumer.poll(Duration.ofSeconds(1))) {
                    long number = ByteBuffer.wrap(at.value()).getLong();
                    output.write(number + " " + at.offset());
                    output.newLine();
                }
            }
        }
    }
}
