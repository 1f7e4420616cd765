import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The broker under test, and clients of it over strings. Settings are given as key=value. */
final class Cluster implements AutoCloseable {
    final String address;
    final Admin admin;

    Cluster(String address) {
        this.address = address;
        this.admin = Admin.create(Map.of("bootstrap.servers", address));
    }

    @Override
    public void close() {
        admin.close();
    }

    Map<String, Object> properties(String... settings) {
        Map<String, Object> properties = new HashMap<>(configs(settings));
        properties.put("bootstrap.servers", address);
        return properties;
    }

    static Map<String, String> configs(String... settings) {
        Map<String, String> configs = new HashMap<>();
        for (String setting : settings) {
            int equals = setting.indexOf('=');
            configs.put(setting.substring(0, equals), setting.substring(equals + 1));
        }
        return configs;
    }

    KafkaProducer<String, String> producer(String... settings) {
        StringSerializer strings = new StringSerializer();
        return new KafkaProducer<>(properties(settings), strings, strings);
    }

    /** A consumer that reads from the beginning and creates no topics, unless told otherwise. */
    KafkaConsumer<String, String> consumer(String... settings) {
        Map<String, Object> properties = new HashMap<>();
        properties.put("auto.offset.reset", "earliest");
        properties.put("allow.auto.create.topics", "false");
        properties.put("enable.auto.commit", "false");
        properties.putAll(properties(settings));
        StringDeserializer strings = new StringDeserializer();
        return new KafkaConsumer<>(properties, strings, strings);
    }

    /** Creates a topic and waits until each of its partitions is led. */
    String topic(String name, int partitions, String... settings) throws Exception {
        Map<String, String> configs = configs(settings);
        NewTopic topic = new NewTopic(name, Optional.of(partitions), Optional.empty());
        admin.createTopics(List.of(topic.configs(configs))).all().get();
        Checks.until(() -> {
            try (KafkaConsumer<String, String> consumer = consumer()) {
                return consumer.endOffsets(partitions(name, partitions)).size() == partitions;
            }
        });
        return name;
    }

    static List<TopicPartition> partitions(String topic, int count) {
        List<TopicPartition> partitions = new ArrayList<>();
        for (int at = 0; at < count; at++) partitions.add(new TopicPartition(topic, at));
        return partitions;
    }

    /** Sends values to one partition and waits until they are acknowledged. */
    void send(String topic, int partition, String... values) throws Exception {
        try (KafkaProducer<String, String> producer = producer()) {
            send(producer, topic, partition, values);
        }
    }

    static void send(KafkaProducer<String, String> producer, String topic, int partition,
                     String... values) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (String value : values) {
            sent.add(producer.send(new ProducerRecord<>(topic, partition, null, value)));
        }
        producer.flush();
        for (Future<RecordMetadata> one : sent) one.get();
    }

    /** What a topic's partition 0 holds, up to where a consumer of these settings may read. */
    List<ConsumerRecord<String, String>> read(String topic, String... settings) {
        List<TopicPartition> partitions = partitions(topic, 1);
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer(settings)) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long end = consumer.endOffsets(partitions).get(partitions.get(0));
            while (consumer.position(partitions.get(0)) < end) {
                consumer.poll(Duration.ofSeconds(1)).forEach(records::add);
            }
        }
        return records;
    }

    List<String> values(String topic, String... settings) {
        return read(topic, settings).stream().map(ConsumerRecord::value).toList();
    }

    List<String> committedValues(String topic) {
        return values(topic, "isolation.level=read_committed");
    }

    /** Polls until that many records have come, and returns their values. */
    static List<String> poll(KafkaConsumer<String, String> consumer, int count) {
        List<String> values = new ArrayList<>();
        while (values.size() < count) {
            consumer.poll(Duration.ofMillis(200)).forEach(record -> values.add(record.value()));
        }
        return values;
    }

    /** Polls until the consumer is assigned exactly this many partitions. */
    static void pollUntilAssigned(KafkaConsumer<String, String> consumer, int count) {
        while (consumer.assignment().size() != count) consumer.poll(Duration.ofMillis(100));
    }

    static <T> T only(Collection<T> items) {
        Checks.equal(items.size(), 1, "how many there are of " + items);
        return items.iterator().next();
    }

    static String[] numbered(String prefix, int count) {
        String[] values = new String[count];
        for (int at = 0; at < count; at++) values[at] = prefix + at;
        return values;
    }
}
