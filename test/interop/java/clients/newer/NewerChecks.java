import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidRegularExpression;

/**
 * All checks for the 4.x client, among them what only it can ask for.
 * Arguments: address, and perhaps a part of the names of the checks to run
 */
public final class NewerChecks {
    private final Cluster cluster;
    private final Admin admin;

    private NewerChecks(Cluster cluster) {
        this.cluster = cluster;
        this.admin = cluster.admin;
    }

    public static void main(String[] arguments) throws Exception {
        Checks checks = new Checks(arguments.length > 1 ? arguments[1] : "");
        try (Cluster cluster = new Cluster(arguments[0])) {
            ClientChecks.add(checks, cluster);
            GroupChecks.add(checks, cluster, "consumer");
            GroupAdminChecks.add(checks, cluster, "consumer");
            new NewerChecks(cluster).add(checks);
            ShareChecks.add(checks, cluster);
            checks.run();
        }
        System.exit(0);
    }

    private void add(Checks checks) {
        checks.add("the broker matches a regular expression", this::pattern);
        checks.add("positions by duration", this::byDuration);
        checks.add("the epoch rises with every transaction", this::epochRises);
        checks.add("a classic group becomes a consumer group, and classic again", this::upgrade);
        checks.add("a group's settings", this::groupConfig);
        checks.add("a batch that is too large is split", this::splitBatch);
        checks.add("resources with settings are listed", this::listConfigResources);
    }

    private void pattern() throws Exception {
        String first = cluster.topic("pattern-1", 1);
        cluster.topic("patterns", 1);
        try (KafkaConsumer<String, String> consumer =
                 cluster.consumer("group.id=pattern", "group.protocol=consumer")) {
            consumer.subscribe(new SubscriptionPattern("pattern-[0-9]+"));
            Cluster.pollUntilAssigned(consumer, 1);
            Checks.equal(consumer.assignment(), Set.of(new TopicPartition(first, 0)), "assigned");
            String second = cluster.topic("pattern-22", 1);
            Cluster.pollUntilAssigned(consumer, 2);
            admin.deleteTopics(List.of(first)).all().get();
            Cluster.pollUntilAssigned(consumer, 1);
            Checks.equal(consumer.assignment(), Set.of(new TopicPartition(second, 0)), "assigned");
        }
        try (KafkaConsumer<String, String> consumer =
                 cluster.consumer("group.id=pattern-wrong", "group.protocol=consumer")) {
            consumer.subscribe(new SubscriptionPattern("(unclosed"));
            Checks.fails(InvalidRegularExpression.class, () -> Cluster.poll(consumer, 1));
        }
    }

    private void byDuration() throws Exception {
        String topic = cluster.topic("by-duration", 1);
        long now = System.currentTimeMillis();
        try (KafkaProducer<String, String> producer = cluster.producer()) {
            producer.send(new ProducerRecord<>(topic, 0, now - 7_200_000, null, "old")).get();
            producer.send(new ProducerRecord<>(topic, 0, now, null, "young")).get();
        }
        try (KafkaConsumer<String, String> consumer =
                 cluster.consumer("group.id=by-duration", "auto.offset.reset=by_duration:PT1H")) {
            consumer.subscribe(List.of(topic));
            Checks.equal(Cluster.poll(consumer, 1), List.of("young"), "values of the last hour");
        }
    }

    private void epochRises() throws Exception {
        String topic = cluster.topic("epoch", 1);
        try (KafkaProducer<String, String> producer = cluster.producer("transactional.id=epoch")) {
            producer.initTransactions();
            int before = described("epoch").producerEpoch();
            for (int round = 1; round <= 3; round++) {
                producer.beginTransaction();
                Cluster.send(producer, topic, 0, "round " + round);
                if (round == 2) producer.abortTransaction();
                else producer.commitTransaction();
                Checks.equal(described("epoch").producerEpoch(), before + round, "epoch");
            }
        }
        Checks.equal(cluster.committedValues(topic), List.of("round 1", "round 3"), "values");
    }

    private TransactionDescription described(String id) throws Exception {
        return admin.describeTransactions(Set.of(id)).description(id).get();
    }

    private GroupType typeOf(String group) throws Exception {
        return admin.describeConsumerGroups(List.of(group)).describedGroups().get(group).get()
            .type();
    }

    private void upgrade() throws Exception {
        String topic = cluster.topic("upgrade", 4);
        cluster.send(topic, 0, Cluster.numbered("", 10));
        String id = "group.id=" + topic;
        try (KafkaConsumer<String, String> old = cluster.consumer(id, "max.poll.records=5")) {
            old.subscribe(List.of(topic));
            Cluster.poll(old, 5);
            old.commitSync();
            Checks.equal(typeOf(topic), GroupType.CLASSIC, "type");
            // A member of the new protocol turns the group over; the old one stays in it.
            try (KafkaConsumer<String, String> young =
                     cluster.consumer(id, "group.protocol=consumer")) {
                young.subscribe(List.of(topic));
                while (old.assignment().size() != 2 || young.assignment().size() != 2) {
                    old.poll(Duration.ofMillis(50));
                    young.poll(Duration.ofMillis(50));
                }
                Checks.equal(typeOf(topic), GroupType.CONSUMER, "type");
            }
            Cluster.pollUntilAssigned(old, 4);
            Checks.until(() -> {
                old.poll(Duration.ofMillis(50));
                return typeOf(topic) == GroupType.CLASSIC;
            });
        }
        try (KafkaConsumer<String, String> young =
                 cluster.consumer(id, "group.protocol=consumer")) {
            young.subscribe(List.of(topic));
            Checks.equal(Cluster.poll(young, 5).get(0), "5", "the value after the commit");
        }
    }

    private String value(ConfigResource resource, String name) throws Exception {
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get(name).value();
    }

    private void alter(ConfigResource resource, OpType type, String name, String value)
        throws Exception {
        AlterConfigOp change = new AlterConfigOp(new ConfigEntry(name, value), type);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
    }

    private void groupConfig() throws Exception {
        ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, "configured-group");
        String name = "consumer.session.timeout.ms";
        String before = value(group, name);
        alter(group, OpType.SET, name, "20000");
        Checks.until(() -> value(group, name).equals("20000"));
        Checks.equal(admin.describeConfigs(List.of(group)).all().get().get(group).get(name)
            .source(), ConfigEntry.ConfigSource.DYNAMIC_GROUP_CONFIG, "the source");
        Checks.fails(InvalidConfigurationException.class,
            () -> alter(group, OpType.SET, "no.such.config", "1"));
        alter(group, OpType.DELETE, name, null);
        Checks.until(() -> value(group, name).equals(before));
    }

    /** The 3.x producer tries such a batch forever: it splits to its own limit, not the topic's. */
    private void splitBatch() throws Exception {
        String topic = cluster.topic("split", 1, "max.message.bytes=2000");
        String[] values = Cluster.numbered("y".repeat(100), 50);
        cluster.send(topic, 0, values);
        Checks.equal(cluster.values(topic), List.of(values), "values");
    }

    private void listConfigResources() throws Exception {
        String topic = cluster.topic("listed-resource", 1);
        ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, "listed-group");
        alter(group, OpType.SET, "consumer.session.timeout.ms", "30000");
        Set<ConfigResource> found = Set.copyOf(admin.listConfigResources().all().get());
        Checks.holds(found.contains(group), "the group is listed");
        Checks.holds(found.contains(new ConfigResource(ConfigResource.Type.TOPIC, topic)),
            "the topic is listed");
        Set<ConfigResource.Type> type = Set.of(ConfigResource.Type.GROUP);
        Set<ConfigResource> groups = Set.copyOf(
            admin.listConfigResources(type, new ListConfigResourcesOptions()).all().get());
        Checks.holds(groups.contains(group) && groups.stream().allMatch(at ->
            at.type() == ConfigResource.Type.GROUP), "groups alone are listed");
        String id = "typed-group";
        try (KafkaConsumer<String, String> consumer =
                 cluster.consumer("group.id=" + id, "group.protocol=consumer")) {
            consumer.subscribe(List.of(topic));
            Cluster.pollUntilAssigned(consumer, 1);
            ListGroupsOptions consumers =
                new ListGroupsOptions().withTypes(Set.of(GroupType.CONSUMER));
            Checks.holds(ids(consumers).contains(id), "the group is among those of its type");
            ListGroupsOptions others = new ListGroupsOptions()
                .withTypes(Set.of(GroupType.CLASSIC, GroupType.SHARE));
            Checks.holds(!ids(others).contains(id), "and not among others");
        }
    }

    private Set<String> ids(ListGroupsOptions options) throws Exception {
        return new HashSet<>(admin.listGroups(options).all().get().stream()
            .map(GroupListing::groupId).toList());
    }
}
