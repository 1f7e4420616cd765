import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Sends a record to each partition of a topic again and again, until standard input ends; then says
 * how many each of them got.
 * Arguments: address, topic, partitions, milliseconds between rounds
 */
public final class Feeder {
    public static void main(String[] arguments) throws Exception {
        String topic = arguments[1];
        int partitions = Integer.parseInt(arguments[2]);
        int rounds = 0;
        try (Cluster cluster = new Cluster(arguments[0]);
             KafkaProducer<String, String> producer = cluster.producer()) {
            while (System.in.available() == 0) {
                for (int partition = 0; partition < partitions; partition++) {
                    producer.send(new ProducerRecord<>(topic, partition, null, "" + rounds));
                }
                rounds++;
                Thread.sleep(Long.parseLong(arguments[3]));
            }
        }
        System.out.println(rounds);
    }
}
