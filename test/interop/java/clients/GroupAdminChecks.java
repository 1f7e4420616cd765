import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Groups and their offsets as an operator sees and changes them. */
// The newest version has newer names for some of what 3.x calls so.
@SuppressWarnings({"deprecation", "removal"})
final class GroupAdminChecks {
    private final Cluster cluster;
    private final Admin admin;
    private final String protocol;

    private GroupAdminChecks(Cluster cluster, String protocol) {
        this.cluster = cluster;
        this.admin = cluster.admin;
        this.protocol = protocol;
    }

    static void add(Checks checks, Cluster cluster, String protocol) {
        GroupAdminChecks groups = new GroupAdminChecks(cluster, protocol);
        String kind = " (" + protocol + ")";
        checks.add("a group is listed and described" + kind, groups::describe);
        checks.add("offsets of a group are reset and deleted" + kind, groups::offsets);
        checks.add("groups are deleted when they are empty" + kind, groups::delete);
        if (protocol.equals("classic")) {
            checks.add("an operator removes members", groups::removeMembers);
        }
    }

    private KafkaConsumer<String, String> member(String group, String... settings) {
        String[] all = Arrays.copyOf(settings, settings.length + 2);
        all[settings.length] = "group.id=" + group;
        all[settings.length + 1] = protocol.equals("classic")
            ? "partition.assignment.strategy=org.apache.kafka.clients.consumer.RangeAssignor"
            : "group.protocol=consumer";
        return cluster.consumer(all);
    }

    private ConsumerGroupDescription described(String group) throws Exception {
        return admin.describeConsumerGroups(List.of(group)).describedGroups().get(group).get();
    }

    private void describe() throws Exception {
        String topic = cluster.topic("watched-" + protocol, 2);
        try (KafkaConsumer<String, String> consumer =
                 member(topic, "client.id=watchman", "group.instance.id=post")) {
            consumer.subscribe(List.of(topic));
            Cluster.pollUntilAssigned(consumer, 2);
            Checks.until(() -> described(topic).state().toString().equals("Stable"));
            ConsumerGroupDescription group = described(topic);
            Checks.equal(group.partitionAssignor(),
                protocol.equals("classic") ? "range" : "uniform", "the assignor");
            Checks.equal(group.type(),
                protocol.equals("classic") ? GroupType.CLASSIC : GroupType.CONSUMER, "the type");
            MemberDescription member = Cluster.only(group.members());
            Checks.equal(member.clientId(), "watchman", "client id");
            Checks.equal(member.groupInstanceId().orElse(""), "post", "instance id");
            Checks.equal(member.host(), "/127.0.0.1", "host");
            Checks.equal(member.assignment().topicPartitions(),
                Set.copyOf(Cluster.partitions(topic, 2)), "assignment");
            Checks.equal(member.consumerId(), consumer.groupMetadata().memberId(), "member id");
            Checks.holds(admin.listConsumerGroups().all().get().stream().anyMatch(listing ->
                listing.groupId().equals(topic) && listing.type().equals(Optional.of(
                    group.type()))), "it is listed with its type");
        }
    }

    private Map<TopicPartition, OffsetAndMetadata> offsetsOf(String group) throws Exception {
        return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(group).get();
    }

    private void offsets() throws Exception {
        String topic = cluster.topic("reset-" + protocol + "-by-admin", 2);
        TopicPartition first = new TopicPartition(topic, 0);
        TopicPartition second = new TopicPartition(topic, 1);
        cluster.send(topic, 0, Cluster.numbered("", 10));
        admin.alterConsumerGroupOffsets(topic, Map.of(first, new OffsetAndMetadata(7, "seven"),
            second, new OffsetAndMetadata(0))).all().get();
        Checks.equal(offsetsOf(topic).get(first), new OffsetAndMetadata(7, "seven"), "as altered");
        try (KafkaConsumer<String, String> consumer = member(topic)) {
            consumer.subscribe(List.of(topic));
            Checks.equal(Cluster.poll(consumer, 3), List.of("7", "8", "9"), "values after a reset");
            Checks.fails(UnknownMemberIdException.class, () -> admin.alterConsumerGroupOffsets(
                topic, Map.of(first, new OffsetAndMetadata(0))).all().get());
            Checks.fails(GroupSubscribedToTopicException.class, () ->
                admin.deleteConsumerGroupOffsets(topic, Set.of(first)).all().get());
        }
        admin.deleteConsumerGroupOffsets(topic, Set.of(first)).all().get();
        Checks.equal(offsetsOf(topic).keySet(), Set.of(second), "partitions with an offset");
        TopicPartition unknown = new TopicPartition("no-such-topic", 0);
        Checks.fails(UnknownTopicOrPartitionException.class, () -> admin.alterConsumerGroupOffsets(
            topic, Map.of(unknown, new OffsetAndMetadata(0))).all().get());
        String other = topic + "-2";
        admin.alterConsumerGroupOffsets(other, Map.of(first, new OffsetAndMetadata(1))).all().get();
        ListConsumerGroupOffsetsSpec all = new ListConsumerGroupOffsetsSpec();
        Map<String, Map<TopicPartition, OffsetAndMetadata>> both =
            admin.listConsumerGroupOffsets(Map.of(topic, all, other, all)).all().get();
        Checks.equal(both.get(other).get(first).offset(), 1L, "the other group's offset");
        Checks.equal(both.get(topic).get(second).offset(), 0L, "this group's offset");
    }

    private void delete() throws Exception {
        String topic = cluster.topic("emptied-" + protocol, 1);
        Collection<String> group = List.of(topic);
        try (KafkaConsumer<String, String> consumer = member(topic)) {
            consumer.subscribe(List.of(topic));
            Cluster.pollUntilAssigned(consumer, 1);
            consumer.commitSync(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(0)));
            Checks.fails(GroupNotEmptyException.class,
                () -> admin.deleteConsumerGroups(group).all().get());
        }
        Checks.until(() -> described(topic).state().toString().equals("Empty"));
        admin.deleteConsumerGroups(group).all().get();
        Checks.fails(GroupIdNotFoundException.class,
            () -> admin.deleteConsumerGroups(group).all().get());
        Checks.equal(offsetsOf(topic), Map.of(), "offsets of a group that is gone");
    }

    private void removeMembers() throws Exception {
        String topic = cluster.topic("removed", 1);
        try (KafkaConsumer<String, String> consumer =
                 member(topic, "group.instance.id=removable")) {
            consumer.subscribe(List.of(topic));
            Cluster.pollUntilAssigned(consumer, 1);
            Set<MemberToRemove> members = Set.of(new MemberToRemove("removable"));
            admin.removeMembersFromConsumerGroup(topic,
                new RemoveMembersFromConsumerGroupOptions(members)).all().get();
            Checks.equal(described(topic).members().size(), 0, "members");
            Checks.fails(UnknownMemberIdException.class,
                () -> admin.removeMembersFromConsumerGroup(topic,
                    new RemoveMembersFromConsumerGroupOptions(members)).all().get());
        }
    }
}
