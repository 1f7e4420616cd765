import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.LogDirNotFoundException;
import org.apache.kafka.common.errors.NoReassignmentInProgressException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/** Topics and partitions, their folders and replicas, and the cluster as an operator sees them. */
final class AdminChecks {
    private final Cluster cluster;
    private final Admin admin;

    private AdminChecks(Cluster cluster) {
        this.cluster = cluster;
        this.admin = cluster.admin;
    }

    static void add(Checks checks, Cluster cluster) {
        AdminChecks operator = new AdminChecks(cluster);
        checks.add("the cluster describes itself", operator::describeCluster);
        checks.add("topics are created as asked", operator::createTopics);
        checks.add("what cannot be created is refused with its reason", operator::refusedTopics);
        checks.add("a topic is deleted by name or id, and a new one is new",
            operator::deleteTopics);
        checks.add("partitions are added, never taken away", operator::createPartitions);
        checks.add("records are deleted up to an offset", operator::deleteRecords);
        checks.add("offsets are listed by every rule", operator::listOffsets);
        checks.add("log directories hold what was written", operator::logDirs);
        checks.add("an election that is not needed says so", operator::electLeaders);
        checks.add("reassignments on one broker", operator::reassignments);
        checks.add("the metadata quorum, or none", operator::metadataQuorum);
        checks.add("access rules without an authorizer", operator::withoutAuthorizer);
    }

    private void describeCluster() throws Exception {
        DescribeClusterResult described = admin.describeCluster();
        Node node = Cluster.only(described.nodes().get());
        Checks.equal(node.host() + ":" + node.port(), cluster.address, "the broker's address");
        Checks.equal(described.controller().get().id(), node.id(), "the controller");
        Checks.holds(!described.clusterId().get().isEmpty(), "the cluster has an id");
    }

    private void createTopics() throws Exception {
        NewTopic plain = new NewTopic("created", Optional.empty(), Optional.empty());
        plain.configs(Cluster.configs("retention.ms=123456", "cleanup.policy=compact,delete"));
        int broker = Cluster.only(admin.describeCluster().nodes().get()).id();
        NewTopic assigned =
            new NewTopic("assigned", Map.of(0, List.of(broker), 1, List.of(broker)));
        CreateTopicsResult result = admin.createTopics(List.of(plain, assigned));
        Uuid id = result.topicId("created").get();
        Checks.equal(result.numPartitions("created").get(), 1, "partitions by default");
        Checks.equal(result.replicationFactor("created").get(), 1, "replicas by default");
        Checks.equal(result.config("created").get().get("retention.ms").value(), "123456",
            "retention.ms as created");
        Checks.equal(result.numPartitions("assigned").get(), 2, "partitions that were assigned");
        TopicDescription byName =
            admin.describeTopics(List.of("created")).topicNameValues().get("created").get();
        Checks.equal(byName.topicId(), id, "id by name");
        Checks.equal(byName.isInternal(), false, "internal");
        TopicDescription byId = admin.describeTopics(TopicCollection.ofTopicIds(List.of(id)))
            .topicIdValues().get(id).get();
        Checks.equal(byId.name(), "created", "name by id");
        TopicPartitionInfo partition = Cluster.only(byId.partitions());
        Checks.equal(partition.leader().id(), broker, "leader");
        Checks.equal(Cluster.only(partition.replicas()).id(), broker, "replica");
        Checks.equal(Cluster.only(partition.isr()).id(), broker, "in-sync replica");
        Checks.holds(admin.listTopics().names().get().containsAll(Set.of("created", "assigned")),
            "both are listed");
    }

    private void refuse(Class<? extends Throwable> error, NewTopic topic) {
        for (boolean validateOnly : new boolean[] {true, false}) {
            CreateTopicsOptions options = new CreateTopicsOptions().validateOnly(validateOnly);
            Checks.fails(error, () -> admin.createTopics(List.of(topic), options).all().get());
        }
    }

    private static NewTopic newTopic(String name, int partitions, int replicas) {
        return new NewTopic(name, partitions, (short) replicas);
    }

    private void refusedTopics() throws Exception {
        cluster.topic("exists", 1);
        refuse(TopicExistsException.class, newTopic("exists", 1, 1));
        refuse(InvalidTopicException.class, newTopic("not/a/name", 1, 1));
        refuse(InvalidTopicException.class, newTopic("x".repeat(250), 1, 1));
        refuse(InvalidPartitionsException.class, newTopic("refused", 0, 1));
        refuse(InvalidReplicationFactorException.class, newTopic("refused", 1, 2));
        refuse(InvalidReplicaAssignmentException.class,
            new NewTopic("refused", Map.of(0, List.of(4711))));
        refuse(InvalidConfigurationException.class, newTopic("refused", 1, 1)
            .configs(Map.of("no.such.config", "1")));
        refuse(InvalidConfigurationException.class, newTopic("refused", 1, 1)
            .configs(Map.of("retention.ms", "long")));
        CreateTopicsOptions validate = new CreateTopicsOptions().validateOnly(true);
        admin.createTopics(List.of(newTopic("validated", 1, 1)), validate).all().get();
        Set<String> names = admin.listTopics().names().get();
        Checks.holds(!names.contains("refused") && !names.contains("validated"),
            "neither a refused nor a validated topic is there");
    }

    private Uuid topicId(String name) throws Exception {
        return admin.describeTopics(List.of(name)).topicNameValues().get(name).get().topicId();
    }

    private void deleteTopics() throws Exception {
        String topic = cluster.topic("deleted", 2);
        cluster.send(topic, 0, "of the old one");
        Uuid old = topicId(topic);
        admin.deleteTopics(List.of(topic)).all().get();
        Checks.until(() -> !admin.listTopics().names().get().contains(topic));
        Checks.fails(UnknownTopicOrPartitionException.class,
            () -> admin.deleteTopics(List.of(topic)).all().get());
        cluster.topic(topic, 1);
        Uuid young = topicId(topic);
        Checks.holds(!young.equals(old), "the new topic has an id of its own");
        cluster.send(topic, 0, "of the new one");
        Checks.equal(cluster.values(topic), List.of("of the new one"), "values");
        admin.deleteTopics(TopicCollection.ofTopicIds(List.of(young))).all().get();
        Checks.fails(UnknownTopicIdException.class, () ->
            admin.deleteTopics(TopicCollection.ofTopicIds(List.of(old))).all().get());
    }

    private void createPartitions() throws Exception {
        String topic = cluster.topic("widened", 1);
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get();
        Checks.until(() -> admin.describeTopics(List.of(topic)).topicNameValues().get(topic).get()
            .partitions().size() == 3);
        for (int wrong : new int[] {2, 3, 0}) {
            Checks.fails(InvalidPartitionsException.class, () ->
                admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(wrong))).all().get());
        }
        Checks.fails(InvalidReplicaAssignmentException.class, () -> admin.createPartitions(Map.of(
            topic, NewPartitions.increaseTo(4, List.of(List.of(4711))))).all().get());
        cluster.send(topic, 2, "on the last");
    }

    private long offset(TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get().offset();
    }

    private void deleteRecords() throws Exception {
        String topic = cluster.topic("shortened", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        cluster.send(topic, 0, Cluster.numbered("", 10));
        Map<TopicPartition, RecordsToDelete> four =
            Map.of(partition, RecordsToDelete.beforeOffset(4));
        long start = admin.deleteRecords(four).lowWatermarks().get(partition).get().lowWatermark();
        Checks.equal(start, 4L, "the log start that was answered");
        Checks.equal(offset(partition, OffsetSpec.earliest()), 4L, "the earliest offset");
        Checks.equal(cluster.values(topic).get(0), "4", "the first value");
        Checks.fails(OffsetOutOfRangeException.class, () -> admin.deleteRecords(
            Map.of(partition, RecordsToDelete.beforeOffset(11))).all().get());
        // -1 stands for all there is.
        admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(-1))).all().get();
        Checks.equal(offset(partition, OffsetSpec.earliest()), 10L, "the earliest offset");
        cluster.send(topic, 0, "next");
        Checks.equal(cluster.values(topic), List.of("next"), "values");
    }

    private void listOffsets() throws Exception {
        String topic = cluster.topic("listed", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        Checks.equal(offset(partition, OffsetSpec.latest()), 0L, "latest of nothing");
        Checks.equal(offset(partition, OffsetSpec.maxTimestamp()), -1L, "of nothing");
        long now = System.currentTimeMillis();
        try (KafkaProducer<String, String> producer = cluster.producer()) {
            for (long ago : new long[] {3000, 1000, 2000}) {
                producer.send(new ProducerRecord<>(topic, 0, now - ago, "", "")).get();
            }
        }
        Checks.equal(offset(partition, OffsetSpec.earliest()), 0L, "earliest");
        Checks.equal(offset(partition, OffsetSpec.latest()), 3L, "latest");
        Checks.equal(offset(partition, OffsetSpec.maxTimestamp()), 1L, "of the latest time");
        Checks.equal(offset(partition, OffsetSpec.forTimestamp(now - 2500)), 1L, "by time");
        Checks.equal(offset(partition, OffsetSpec.forTimestamp(now)), -1L, "by a later time");
        TopicPartition unknown = new TopicPartition("no-such-topic", 0);
        Checks.fails(UnknownTopicOrPartitionException.class, () -> admin.listOffsets(
            Map.of(unknown, OffsetSpec.latest()),
            new ListOffsetsOptions().timeoutMs(1000)).all().get());
    }

    private void logDirs() throws Exception {
        String topic = cluster.topic("in-a-folder", 1);
        cluster.send(topic, 0, "x".repeat(5000));
        int broker = Cluster.only(admin.describeCluster().nodes().get()).id();
        Map<String, LogDirDescription> folders =
            admin.describeLogDirs(List.of(broker)).descriptions().get(broker).get();
        String folder = Cluster.only(folders.keySet());
        LogDirDescription described = folders.get(folder);
        Checks.holds(described.error() == null, "no error");
        TopicPartition partition = new TopicPartition(topic, 0);
        Checks.holds(described.replicaInfos().get(partition).size() > 5000, "the size is known");
        Checks.holds(described.totalBytes().getAsLong() > 0, "the volume's size is known");
        TopicPartitionReplica replica = new TopicPartitionReplica(topic, 0, broker);
        Checks.equal(admin.describeReplicaLogDirs(List.of(replica)).values().get(replica).get()
            .getCurrentReplicaLogDir(), folder, "the replica's folder");
        admin.alterReplicaLogDirs(Map.of(replica, folder)).all().get();
        Checks.fails(LogDirNotFoundException.class, () ->
            admin.alterReplicaLogDirs(Map.of(replica, "/no/such/folder")).all().get());
    }

    private void electLeaders() throws Exception {
        TopicPartition partition = new TopicPartition(cluster.topic("elected", 1), 0);
        Map<TopicPartition, Optional<Throwable>> results =
            admin.electLeaders(ElectionType.PREFERRED, Set.of(partition)).partitions().get();
        Checks.holds(results.get(partition).get() instanceof ElectionNotNeededException,
            "not needed: " + results);
        TopicPartition unknown = new TopicPartition("no-such-topic", 0);
        Checks.holds(admin.electLeaders(ElectionType.UNCLEAN, Set.of(unknown)).partitions().get()
            .get(unknown).get() instanceof UnknownTopicOrPartitionException, "unknown");
        Checks.equal(admin.electLeaders(ElectionType.PREFERRED, null).partitions().get(), Map.of(),
            "elections of all that need one");
    }

    private void reassign(TopicPartition partition, List<Integer> replicas) throws Exception {
        Map<TopicPartition, Optional<NewPartitionReassignment>> change = new HashMap<>();
        change.put(partition, Optional.ofNullable(replicas).map(NewPartitionReassignment::new));
        admin.alterPartitionReassignments(change).all().get();
    }

    private void reassignments() throws Exception {
        TopicPartition partition = new TopicPartition(cluster.topic("reassigned", 1), 0);
        int broker = Cluster.only(admin.describeCluster().nodes().get()).id();
        reassign(partition, List.of(broker));
        Checks.equal(admin.listPartitionReassignments().reassignments().get(), Map.of(),
            "what is going on");
        Checks.fails(InvalidReplicaAssignmentException.class,
            () -> reassign(partition, List.of(broker, 4711)));
        Checks.fails(NoReassignmentInProgressException.class, () -> reassign(partition, null));
        Checks.fails(UnknownTopicOrPartitionException.class,
            () -> reassign(new TopicPartition("no-such-topic", 0), List.of(broker)));
    }

    /** A cluster that does not run on KRaft has no quorum, and says so. */
    private void metadataQuorum() throws Exception {
        int broker = Cluster.only(admin.describeCluster().nodes().get()).id();
        try {
            QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get();
            Checks.equal(quorum.leaderId(), broker, "the quorum's leader");
            Checks.equal(Cluster.only(quorum.voters()).replicaId(), broker, "its only voter");
        } catch (ExecutionException error) {
            Checks.holds(error.getCause() instanceof UnsupportedVersionException, error.toString());
        }
    }

    private void withoutAuthorizer() {
        Checks.fails(SecurityDisabledException.class,
            () -> admin.describeAcls(AclBindingFilter.ANY).values().get());
        Collection<AclBindingFilter> any = List.of(AclBindingFilter.ANY);
        Checks.fails(SecurityDisabledException.class, () -> admin.deleteAcls(any).all().get());
    }
}
