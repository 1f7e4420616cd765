import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** What the programs share: clients over bytes, with Kafka's defaults but for what is named. */
final class Common {
    /** Record sizes, taken in turn: tiny ones beside ones that fill a batch. */
    static final int[] SIZES = {1, 100, 1_000, 10_000, 100_000, 7, 4_096, 65_536};

    private Common() {}

    static KafkaProducer<byte[], byte[]> producer(String address, String... settings) {
        Properties properties = properties(address, settings);
        ByteArraySerializer bytes = new ByteArraySerializer();
        return new KafkaProducer<>(properties, bytes, bytes);
    }

    static KafkaConsumer<byte[], byte[]> consumer(String address, String... settings) {
        Properties properties = properties(address, settings);
        properties.put("allow.auto.create.topics", "false");
        ByteArrayDeserializer bytes = new ByteArrayDeserializer();
        return new KafkaConsumer<>(properties, bytes, bytes);
    }

    /** Settings are key=value. */
    private static Properties properties(String address, String... settings) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", address);
        for (String setting : settings) {
            int equals = setting.indexOf('=');
            properties.put(setting.substring(0, equals), setting.substring(equals + 1));
        }
        return properties;
    }

    static List<TopicPartition> partitions(String topic, int count) {
        List<TopicPartition> partitions = new ArrayList<>();
        for (int at = 0; at < count; at++) partitions.add(new TopicPartition(topic, at));
        return partitions;
    }

    static boolean isRead(KafkaConsumer<?, ?> consumer, TopicPartition partition, long end) {
        return consumer.position(partition) >= end;
    }

    static void check(boolean holds, String message) {
        if (!holds) throw new IllegalStateException(message);
    }

    /** Reads up to size bytes; fewer only at the end of the stream. */
    static byte[] read(InputStream input, int size) throws IOException {
        return input.readNBytes(size);
    }
}
