import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Writes few keys over and over, or reads them and compares: whatever compaction has removed, the
 * last value of each key must be the one that was written last. Prints how many records there are.
 * Arguments: address, topic (of one partition), write or verify.
 */
public final class CompactedTopic {
    private static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};
    private static final int RECORDS_PER_CODEC = 4_000;
    private static final int KEYS = 97;

    public static void main(String[] arguments) throws Exception {
        String address = arguments[0];
        String topic = arguments[1];
        Random random = new Random(topic.hashCode());
        Map<String, byte[]> expected = new HashMap<>();
        for (String codec : CODECS) {
            if (arguments[2].equals("write")) {
                try (KafkaProducer<byte[], byte[]> producer =
                         Common.producer(address, "compression.type=" + codec, "linger.ms=5")) {
                    for (int at = 0; at < RECORDS_PER_CODEC; at++) send(producer, topic, random);
                }
            } else {
                for (int at = 0; at < RECORDS_PER_CODEC; at++) expect(expected, random);
            }
        }
        int count = CODECS.length * RECORDS_PER_CODEC;
        if (arguments[2].equals("verify")) count = verify(address, topic, expected);
        System.out.println(count);
    }

    private static void send(
        KafkaProducer<byte[], byte[]> producer, String topic, Random random) {
        byte[] key = key(random);
        producer.send(new ProducerRecord<>(topic, 0, key, value(random)));
    }

    private static void expect(Map<String, byte[]> expected, Random random) {
        String key = new String(key(random));
        byte[] value = value(random);
        if (value == null) expected.remove(key);
        else expected.put(key, value);
    }

    private static byte[] key(Random random) {
        return ("key-" + random.nextInt(KEYS)).getBytes();
    }

    /** A tombstone now and then. */
    private static byte[] value(Random random) {
        if (random.nextInt(11) == 0) return null;
        byte[] bytes = new byte[random.nextInt(500)];
        random.nextBytes(bytes);
        return bytes;
    }

    private static int verify(String address, String topic, Map<String, byte[]> expected) {
        Map<String, byte[]> found = new HashMap<>();
        int count = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = Common.consumer(address)) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (!Common.isRead(consumer, partition, end)) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    count += 1;
                    String key = new String(record.key());
                    if (record.value() == null) found.remove(key);
                    else found.put(key, record.value());
                }
            }
        }
        Common.check(found.keySet().equals(expected.keySet()), "other keys: " + found.keySet());
        expected.forEach((key, value) ->
            Common.check(Arrays.equals(value, found.get(key)), "another value for " + key));
        return count;
    }
}
