import java.util.Arrays;
import java.util.Locale;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Counts the words of topic `lines` into topic `counts` until standard input ends. Nothing is held
 * back: each word makes its count's next value, so that the values of a word are 1, 2, 3 and so on,
 * unless something was counted twice or lost.
 * Arguments: address, folder for the state, key=value...
 */
public final class WordCount {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", arguments[0]);
        properties.put("state.dir", arguments[1]);
        properties.put("application.id", "word-count");
        properties.put("processing.guarantee", "exactly_once_v2");
        properties.put("statestore.cache.max.bytes", "0");
        for (String setting : Arrays.asList(arguments).subList(2, arguments.length)) {
            int equals = setting.indexOf('=');
            properties.put(setting.substring(0, equals), setting.substring(equals + 1));
        }
        StreamsBuilder builder = new StreamsBuilder();
        properties.put("default.key.serde", Serdes.StringSerde.class.getName());
        properties.put("default.value.serde", Serdes.StringSerde.class.getName());
        KStream<String, String> lines = builder.stream("lines");
        lines.flatMapValues(line -> Arrays.asList(line.toLowerCase(Locale.ROOT).split("\\W+")))
            .groupBy((key, word) -> word)
            .count(Materialized.as("words"))
            .toStream()
            .to("counts", Produced.valueSerde(Serdes.Long()));
        try (KafkaStreams streams = new KafkaStreams(builder.build(), properties)) {
            streams.setStateListener((state, before) -> System.out.println(state));
            streams.setUncaughtExceptionHandler(error -> {
                error.printStackTrace();
                // As an operator would have it: whatever it was, this thread begins anew.
                return StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse
                    .REPLACE_THREAD;
            });
            streams.start();
            while (System.in.read() >= 0) continue;
        }
    }
}
