import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConfigEntry.ConfigSource;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;

/** Settings of topics, brokers and groups, quotas of clients, and the features of the cluster. */
final class ConfigChecks {
    private final Cluster cluster;
    private final Admin admin;

    private ConfigChecks(Cluster cluster) {
        this.cluster = cluster;
        this.admin = cluster.admin;
    }

    static void add(Checks checks, Cluster cluster) {
        ConfigChecks configs = new ConfigChecks(cluster);
        checks.add("a topic's settings: set, appended, taken back", configs::topic);
        checks.add("settings that are wrong change nothing", configs::refused);
        checks.add("a setting says where it comes from and what it means", configs::sources);
        checks.add("a broker's settings change while it runs", configs::broker);
        checks.add("quotas of users and clients", configs::quotas);
        checks.add("a quota slows a producer down", configs::throttle);
        checks.add("features are described", configs::features);
    }

    private static ConfigResource resource(ConfigResource.Type type, String name) {
        return new ConfigResource(type, name);
    }

    private Config describe(ConfigResource resource) throws Exception {
        DescribeConfigsOptions options =
            new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
        return admin.describeConfigs(List.of(resource), options).all().get().get(resource);
    }

    private String value(ConfigResource resource, String name) throws Exception {
        return describe(resource).get(name).value();
    }

    private void alter(ConfigResource resource, OpType type, String name, String value)
        throws Exception {
        alter(resource, type, name, value, false);
    }

    private void alter(ConfigResource resource, OpType type, String name, String value,
                       boolean validateOnly) throws Exception {
        Collection<AlterConfigOp> change =
            List.of(new AlterConfigOp(new ConfigEntry(name, value), type));
        AlterConfigsOptions options = new AlterConfigsOptions().validateOnly(validateOnly);
        admin.incrementalAlterConfigs(Map.of(resource, change), options).all().get();
    }

    private void topic() throws Exception {
        ConfigResource topic =
            resource(ConfigResource.Type.TOPIC, cluster.topic("configured", 1));
        alter(topic, OpType.SET, "retention.ms", "1000000");
        alter(topic, OpType.APPEND, "cleanup.policy", "compact");
        Checks.until(() -> value(topic, "cleanup.policy").equals("delete,compact"));
        Checks.equal(value(topic, "retention.ms"), "1000000", "retention.ms");
        alter(topic, OpType.SUBTRACT, "cleanup.policy", "delete");
        Checks.until(() -> value(topic, "cleanup.policy").equals("compact"));
        alter(topic, OpType.DELETE, "cleanup.policy", null);
        Checks.until(() -> value(topic, "cleanup.policy").equals("delete"));
        alter(topic, OpType.SET, "retention.ms", "2000000", true);
        Checks.equal(value(topic, "retention.ms"), "1000000", "what was only validated");
        alter(topic, OpType.SET, "max.message.bytes", "500");
        Checks.until(() -> value(topic, "max.message.bytes").equals("500"));
        Checks.fails(KafkaException.class,
            () -> cluster.send("configured", 0, "x".repeat(1000)));
    }

    private void refused() throws Exception {
        ConfigResource topic =
            resource(ConfigResource.Type.TOPIC, cluster.topic("misconfigured", 1));
        Checks.fails(InvalidConfigurationException.class,
            () -> alter(topic, OpType.SET, "no.such.config", "1"));
        Checks.fails(InvalidConfigurationException.class,
            () -> alter(topic, OpType.SET, "retention.ms", "-5"));
        Checks.fails(InvalidConfigurationException.class,
            () -> alter(topic, OpType.SET, "cleanup.policy", "burn"));
        Checks.fails(InvalidConfigurationException.class,
            () -> alter(topic, OpType.APPEND, "retention.ms", "1"));
        Checks.fails(UnknownTopicOrPartitionException.class, () ->
            alter(resource(ConfigResource.Type.TOPIC, "no-such-topic"), OpType.SET,
                "retention.ms", "1"));
        Checks.fails(UnknownTopicOrPartitionException.class,
            () -> describe(resource(ConfigResource.Type.TOPIC, "no-such-topic")));
        for (ConfigEntry entry : describe(topic).entries()) {
            Checks.holds(entry.source() != ConfigSource.DYNAMIC_TOPIC_CONFIG,
                entry.name() + " is as it was");
        }
    }

    private void sources() throws Exception {
        String name = cluster.topic("sources", 1, "segment.bytes=2097152");
        Config config = describe(resource(ConfigResource.Type.TOPIC, name));
        ConfigEntry segment = config.get("segment.bytes");
        Checks.equal(segment.source(), ConfigSource.DYNAMIC_TOPIC_CONFIG, "its source");
        Checks.equal(segment.value(), "2097152", "its value");
        Checks.equal(segment.type(), ConfigEntry.ConfigType.INT, "its type");
        Checks.holds(segment.documentation().length() > 20, "it is documented");
        Checks.equal(segment.synonyms().get(0).name(), "segment.bytes", "the first synonym");
        Checks.equal(segment.synonyms().get(segment.synonyms().size() - 1).source(),
            ConfigSource.DEFAULT_CONFIG, "the last synonym's source");
        ConfigEntry bytes = config.get("max.message.bytes");
        Checks.equal(bytes.value(), "1048588", "max.message.bytes");
        Checks.equal(bytes.source(), ConfigSource.DEFAULT_CONFIG, "its source");
        // It stands in server.properties as log.retention.ms.
        Checks.equal(config.get("retention.ms").source(), ConfigSource.STATIC_BROKER_CONFIG,
            "source of retention.ms");
    }

    private void broker() throws Exception {
        String id = Cluster.only(admin.describeCluster().nodes().get()).idString();
        ConfigResource broker = resource(ConfigResource.Type.BROKER, id);
        ConfigResource all = resource(ConfigResource.Type.BROKER, "");
        String name = "log.cleaner.backoff.ms";
        alter(all, OpType.SET, name, "11000");
        Checks.until(() -> value(broker, name).equals("11000"));
        Checks.equal(describe(broker).get(name).source(),
            ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG, "the source");
        alter(broker, OpType.SET, name, "12000");
        Checks.until(() -> value(broker, name).equals("12000"));
        Checks.equal(describe(broker).get(name).source(), ConfigSource.DYNAMIC_BROKER_CONFIG,
            "the source");
        alter(broker, OpType.DELETE, name, null);
        alter(all, OpType.DELETE, name, null);
        Checks.until(() -> value(broker, name).equals("15000"));
        Checks.equal(describe(broker).get(name).source(), ConfigSource.DEFAULT_CONFIG,
            "the source");
        Checks.fails(InvalidRequestException.class,
            () -> alter(broker, OpType.SET, "log.dirs", "/elsewhere"));
        Checks.holds(describe(broker).get("log.dirs").isReadOnly(), "log.dirs is read-only");
    }

    private static ClientQuotaEntity entity(String user, String client) {
        Map<String, String> parts = new HashMap<>();
        // Null is the name of whoever has no quota of its own.
        if (user != null) parts.put("user", user.isEmpty() ? null : user);
        if (client != null) parts.put("client-id", client.isEmpty() ? null : client);
        return new ClientQuotaEntity(parts);
    }

    private void alterQuota(ClientQuotaEntity entity, String name, Double value) throws Exception {
        ClientQuotaAlteration.Op change = new ClientQuotaAlteration.Op(name, value);
        admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity, Set.of(change))))
            .all().get();
    }

    private Map<ClientQuotaEntity, Map<String, Double>> quotas(ClientQuotaFilter filter)
        throws Exception {
        return admin.describeClientQuotas(filter).entities().get();
    }

    private void quotas() throws Exception {
        ClientQuotaEntity user = entity("gregor", null);
        ClientQuotaEntity both = entity("gregor", "travel");
        ClientQuotaEntity anyClient = entity("gregor", "");
        alterQuota(user, "producer_byte_rate", 1e9);
        alterQuota(user, "consumer_byte_rate", 2e9);
        alterQuota(both, "producer_byte_rate", 3e9);
        alterQuota(anyClient, "request_percentage", 400.0);
        ClientQuotaFilterComponent gregor =
            ClientQuotaFilterComponent.ofEntity(ClientQuotaEntity.USER, "gregor");
        Map<ClientQuotaEntity, Map<String, Double>> expected = Map.of(
            user, Map.of("producer_byte_rate", 1e9, "consumer_byte_rate", 2e9),
            both, Map.of("producer_byte_rate", 3e9),
            anyClient, Map.of("request_percentage", 400.0));
        Checks.until(() -> quotas(ClientQuotaFilter.contains(List.of(gregor))).equals(expected));
        Checks.equal(quotas(ClientQuotaFilter.containsOnly(List.of(gregor))).keySet(), Set.of(user),
            "of the user alone");
        ClientQuotaFilterComponent defaultClient =
            ClientQuotaFilterComponent.ofDefaultEntity(ClientQuotaEntity.CLIENT_ID);
        Checks.equal(quotas(ClientQuotaFilter.containsOnly(List.of(gregor, defaultClient)))
            .keySet(), Set.of(anyClient), "of the user with clients by default");
        Checks.fails(KafkaException.class, () -> alterQuota(user, "no_such_quota", 1.0));
        Checks.fails(KafkaException.class, () -> alterQuota(user, "producer_byte_rate", -1.0));
        alterQuota(user, "producer_byte_rate", null);
        alterQuota(user, "consumer_byte_rate", null);
        alterQuota(both, "producer_byte_rate", null);
        alterQuota(anyClient, "request_percentage", null);
        Checks.until(() -> quotas(ClientQuotaFilter.contains(List.of(gregor))).isEmpty());
    }

    private void throttle() throws Exception {
        String topic = cluster.topic("throttled", 1);
        alterQuota(entity(null, "throttled"), "producer_byte_rate", 20_000.0);
        try (KafkaProducer<String, String> producer =
                 cluster.producer("client.id=throttled", "linger.ms=0")) {
            // The broker tells a producer for how long it holds it back.
            Checks.until(() -> {
                Cluster.send(producer, topic, 0, "x".repeat(10_000));
                return producer.metrics().entrySet().stream()
                    .filter(metric -> metric.getKey().name().equals("produce-throttle-time-max"))
                    .anyMatch(metric -> (double) metric.getValue().metricValue() > 0);
            });
        }
        alterQuota(entity(null, "throttled"), "producer_byte_rate", null);
    }

    private void features() throws Exception {
        FeatureMetadata features = admin.describeFeatures().featureMetadata().get();
        Checks.holds(features.finalizedFeatures().get("transaction.version").maxVersionLevel() >= 2,
            "transactions are of version 2: " + features);
        Checks.holds(features.supportedFeatures().containsKey("group.version"),
            "group.version is supported");
    }
}
