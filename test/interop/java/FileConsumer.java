import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Puts a file together again from what FileProducer (or the Go client) sent, with assigned
 * partitions, and checks that within each partition offsets follow each other without a gap and
 * records come in the order they were sent.
 * Arguments: address, topic, partitions, file, settings...
 */
public final class FileConsumer {
    public static void main(String[] arguments) throws Exception {
        int count = Integer.parseInt(arguments[2]);
        List<TopicPartition> partitions = Common.partitions(arguments[1], count);
        String[] settings = java.util.Arrays.copyOfRange(arguments, 4, arguments.length);
        Map<Integer, Long> lastPlaces = new HashMap<>();
        Map<Integer, Long> nextOffsets = new HashMap<>();
        long total = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = Common.consumer(arguments[0], settings);
             RandomAccessFile output = new RandomAccessFile(arguments[3], "rw")) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (!partitions.stream().allMatch(at -> Common.isRead(consumer, at, ends.get(at)))) {
                for (ConsumerRecord<byte[], byte[]> at : consumer.poll(Duration.ofSeconds(1))) {
                    long place = ByteBuffer.wrap(at.key()).getLong();
                    long previous = lastPlaces.getOrDefault(at.partition(), -1L);
                    long expected = nextOffsets.getOrDefault(at.partition(), 0L);
                    Common.check(place > previous, "order: " + place + " after " + previous);
                    boolean follows = at.offset() == expected;
                    Common.check(follows, "offset " + at.offset() + ", not " + expected);
                    lastPlaces.put(at.partition(), place);
                    nextOffsets.put(at.partition(), expected + 1);
                    output.seek(place);
                    output.write(at.value());
                    total += at.value().length;
                }
            }
            Common.check(output.length() == total, total + " bytes, a file of " + output.length());
        }
        System.out.println(total);
    }
}
