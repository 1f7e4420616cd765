import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ShareGroupDescription;
import org.apache.kafka.clients.admin.ShareMemberDescription;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Share groups: records are handed out one by one, and come again unless they were settled. */
final class ShareChecks {
    private static final Duration MOMENT = Duration.ofMillis(200);

    private final Cluster cluster;
    private final Admin admin;

    private ShareChecks(Cluster cluster) {
        this.cluster = cluster;
        this.admin = cluster.admin;
    }

    static void add(Checks checks, Cluster cluster) {
        ShareChecks shares = new ShareChecks(cluster);
        checks.add("share group: accept, release, reject", shares::acknowledge);
        checks.add("share group: what is polled is accepted", shares::implicit);
        checks.add("share group: a lock runs out", shares::lockExpiry);
        checks.add("share group: delivered five times at most", shares::deliveryLimit);
        checks.add("share group: many members, each record once", shares::manyMembers);
        checks.add("share group: only what is committed", shares::readCommitted);
        checks.add("share group: described, offsets altered, deleted", shares::operate);
    }

    private KafkaShareConsumer<String, String> consumer(String group, String... settings) {
        Map<String, Object> properties = new HashMap<>(cluster.properties(settings));
        properties.put("group.id", group);
        StringDeserializer strings = new StringDeserializer();
        return new KafkaShareConsumer<>(properties, strings, strings);
    }

    /** Share groups begin at the end, unless the group's settings say otherwise. */
    private void configure(String group, String... settings) throws Exception {
        List<AlterConfigOp> changes = new ArrayList<>();
        Map<String, String> configs = new HashMap<>(Cluster.configs(settings));
        configs.put("share.auto.offset.reset", "earliest");
        configs.forEach((name, value) -> changes.add(
            new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET)));
        ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
        admin.incrementalAlterConfigs(Map.of(resource, changes)).all().get();
    }

    private static List<ConsumerRecord<String, String>> poll(
        KafkaShareConsumer<String, String> consumer) {
        while (true) {
            List<ConsumerRecord<String, String>> records = new ArrayList<>();
            consumer.poll(MOMENT).forEach(records::add);
            if (!records.isEmpty()) return records;
        }
    }

    private void acknowledge() throws Exception {
        String topic = cluster.topic("share-acknowledge", 1);
        configure(topic);
        cluster.send(topic, 0, "accept", "release", "reject");
        List<String> seen = new ArrayList<>();
        try (KafkaShareConsumer<String, String> consumer =
                 consumer(topic, "share.acknowledgement.mode=explicit")) {
            consumer.subscribe(List.of(topic));
            // Three records, and the released one a second time.
            while (seen.size() < 4) {
                for (ConsumerRecord<String, String> at : poll(consumer)) {
                    boolean again = seen.contains(at.value());
                    seen.add(at.value());
                    Checks.equal((int) at.deliveryCount().get(), again ? 2 : 1, "delivery count");
                    consumer.acknowledge(at, switch (at.value()) {
                        case "release" -> again ? AcknowledgeType.ACCEPT : AcknowledgeType.RELEASE;
                        case "reject" -> AcknowledgeType.REJECT;
                        default -> AcknowledgeType.ACCEPT;
                    });
                }
                consumer.commitSync().values().forEach(error ->
                    Checks.holds(error.isEmpty(), "acknowledged: " + error));
            }
            Checks.equal(seen, List.of("accept", "release", "reject", "release"), "values");
            cluster.send(topic, 0, "next");
            Checks.equal(poll(consumer).get(0).value(), "next", "what comes after");
        }
    }

    private void implicit() throws Exception {
        String topic = cluster.topic("share-implicit", 1);
        configure(topic);
        cluster.send(topic, 0, "one", "two");
        try (KafkaShareConsumer<String, String> consumer = consumer(topic)) {
            consumer.subscribe(List.of(topic));
            List<String> values = new ArrayList<>();
            while (values.size() < 2) poll(consumer).forEach(at -> values.add(at.value()));
            consumer.commitSync();
        }
        cluster.send(topic, 0, "three");
        try (KafkaShareConsumer<String, String> consumer = consumer(topic)) {
            consumer.subscribe(List.of(topic));
            Checks.equal(poll(consumer).get(0).value(), "three", "the first value of the next");
        }
    }

    private void lockExpiry() throws Exception {
        String topic = cluster.topic("share-lock", 1);
        configure(topic, "share.record.lock.duration.ms=2000");
        cluster.send(topic, 0, "locked");
        try (KafkaShareConsumer<String, String> holder =
                 consumer(topic, "share.acknowledgement.mode=explicit");
             KafkaShareConsumer<String, String> heir = consumer(topic)) {
            holder.subscribe(List.of(topic));
            ConsumerRecord<String, String> held = poll(holder).get(0);
            heir.subscribe(List.of(topic));
            ConsumerRecord<String, String> inherited = poll(heir).get(0);
            Checks.equal(inherited.offset(), held.offset(), "offset");
            Checks.equal((int) inherited.deliveryCount().get(), 2, "delivery count");
            // Too late: the lock is another's.
            holder.acknowledge(held, AcknowledgeType.ACCEPT);
            Checks.holds(Cluster.only(holder.commitSync().values()).isPresent(),
                "a late acknowledgement is refused");
            Checks.holds(Cluster.only(heir.commitSync().values()).isEmpty(),
                "the heir's is taken");
        }
    }

    private void deliveryLimit() throws Exception {
        String topic = cluster.topic("share-limit", 1);
        configure(topic);
        cluster.send(topic, 0, "poison");
        int deliveries = 0;
        try (KafkaShareConsumer<String, String> consumer =
                 consumer(topic, "share.acknowledgement.mode=explicit")) {
            consumer.subscribe(List.of(topic));
            while (deliveries < 5) {
                for (ConsumerRecord<String, String> at : poll(consumer)) {
                    Checks.equal(at.value(), "poison", "value");
                    Checks.equal((int) at.deliveryCount().get(), ++deliveries, "delivery count");
                    consumer.acknowledge(at, AcknowledgeType.RELEASE);
                }
                consumer.commitSync();
            }
            cluster.send(topic, 0, "next");
            Checks.equal(poll(consumer).get(0).value(), "next", "what comes after five times");
        }
    }

    private void manyMembers() throws Exception {
        String topic = cluster.topic("share-many", 2);
        configure(topic);
        Set<String> expected = new HashSet<>();
        List<String> seen = new ArrayList<>();
        // More members than partitions, which is what share groups are for.
        List<KafkaShareConsumer<String, String>> members = new ArrayList<>();
        for (int member = 0; member < 4; member++) {
            KafkaShareConsumer<String, String> consumer = consumer(topic, "max.poll.records=10");
            consumer.subscribe(List.of(topic));
            members.add(consumer);
        }
        try (KafkaProducer<String, String> producer = cluster.producer()) {
            for (int partition = 0; partition < 2; partition++) {
                String[] values = Cluster.numbered(partition + "-", 200);
                expected.addAll(List.of(values));
                Cluster.send(producer, topic, partition, values);
            }
        }
        while (seen.size() < expected.size()) {
            for (KafkaShareConsumer<String, String> member : members) {
                member.poll(Duration.ofMillis(50)).forEach(at -> seen.add(at.value()));
            }
        }
        members.forEach(KafkaShareConsumer::close);
        Checks.equal(seen.size(), expected.size(), "how many values were seen");
        Checks.equal(Set.copyOf(seen), expected, "values");
    }

    private void readCommitted() throws Exception {
        String topic = cluster.topic("share-committed", 1);
        configure(topic, "share.isolation.level=read_committed");
        try (KafkaProducer<String, String> producer = cluster.producer("transactional.id=" + topic);
             KafkaShareConsumer<String, String> consumer = consumer(topic)) {
            producer.initTransactions();
            producer.beginTransaction();
            Cluster.send(producer, topic, 0, "aborted");
            producer.abortTransaction();
            producer.beginTransaction();
            Cluster.send(producer, topic, 0, "committed");
            producer.commitTransaction();
            consumer.subscribe(List.of(topic));
            Checks.equal(poll(consumer).get(0).value(), "committed", "the first value");
        }
    }

    private long startOffset(String group) throws Exception {
        return admin.listShareGroupOffsets(Map.of(group, new ListShareGroupOffsetsSpec()))
            .partitionsToOffsetInfo(group).get().get(new TopicPartition(group, 0)).startOffset();
    }

    private ShareGroupDescription described(String group) throws Exception {
        return admin.describeShareGroups(List.of(group)).describedGroups().get(group).get();
    }

    private void operate() throws Exception {
        String topic = cluster.topic("share-operate", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        configure(topic);
        cluster.send(topic, 0, "zero", "one", "two");
        try (KafkaShareConsumer<String, String> consumer = consumer(topic, "client.id=sharer")) {
            consumer.subscribe(List.of(topic));
            Checks.equal(poll(consumer).size(), 3, "values");
            consumer.commitSync();
            ShareGroupDescription group = described(topic);
            Checks.equal(group.groupState(), GroupState.STABLE, "state");
            ShareMemberDescription member = Cluster.only(group.members());
            Checks.equal(member.clientId(), "sharer", "client id");
            Checks.equal(member.assignment().topicPartitions(), Set.of(partition), "assignment");
            Checks.fails(GroupNotEmptyException.class,
                () -> admin.deleteShareGroups(List.of(topic)).all().get());
            Checks.fails(GroupNotEmptyException.class,
                () -> admin.alterShareGroupOffsets(topic, Map.of(partition, 0L)).all().get());
        }
        Checks.until(() -> described(topic).groupState() == GroupState.EMPTY);
        admin.alterShareGroupOffsets(topic, Map.of(partition, 1L)).all().get();
        Checks.equal(startOffset(topic), 1L, "the altered offset");
        try (KafkaShareConsumer<String, String> consumer = consumer(topic)) {
            consumer.subscribe(List.of(topic));
            Checks.equal(poll(consumer).get(0).value(), "one", "the first value");
        }
        Checks.until(() -> described(topic).groupState() == GroupState.EMPTY);
        admin.deleteShareGroupOffsets(topic, Set.of(topic)).all().get();
        admin.deleteShareGroups(List.of(topic)).all().get();
    }
}
