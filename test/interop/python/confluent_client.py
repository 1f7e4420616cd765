"""confluent-kafka (librdkafka) as a client program of harness/contract.ts."""

import sys

from confluent_kafka import (
    AcknowledgeType,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaException,
    Producer,
    ShareConsumer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
)

from contract import Progress, Stop, emit, emit_owns, emit_record, main, run_steps, to_bytes

FENCED_CODES = {-144, 47, 90}  # librdkafka's own _FENCED, INVALID_PRODUCER_EPOCH, PRODUCER_FENCED


def send(producer, topic, records):
    failures = []
    for record in records:
        producer.produce(
            topic,
            value=to_bytes(record["value"]),
            key=to_bytes(record["key"]),
            partition=record["partition"],
            timestamp=record["timestamp"],
            headers=[(name, to_bytes(value)) for name, value in record["headers"]],
            on_delivery=lambda error, _message: failures.append(error) if error else None,
        )
        producer.poll(0)
    producer.flush()
    if failures:
        raise KafkaException(failures[0])


def produce(request):
    settings = {
        "bootstrap.servers": request.address,
        "compression.type": request.codec,
        "enable.idempotence": bool(request.idempotent),
        "linger.ms": 20,
    }
    send(Producer(settings), request.topic, request.records)


def consumer(request, **more):
    settings = {
        "bootstrap.servers": request.address,
        "group.id": request.group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "fetch.wait.max.ms": 100,
        **more,
    }
    return Consumer(settings)


def checked(message):
    if message.error():
        raise KafkaException(message.error())
    return message


def show(message):
    emit_record(
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        message.headers(),
        message.timestamp()[1],
    )


def consume(request):
    reader = consumer(request, **{"isolation.level": request.isolation})
    reader.assign([TopicPartition(request.topic, n, 0) for n in range(len(request.last))])
    progress = Progress(request.last)
    while not progress.is_done:
        for message in reader.consume(500, 0.1):
            show(checked(message))
            progress.saw(message.partition(), message.offset())
    reader.close()


def read(request):
    reader = consumer(request)
    reader.subscribe([request.topic])
    left = request.count
    while left > 0:
        message = reader.poll(1)
        if message is None:
            continue
        show(checked(message))
        left -= 1
    position = TopicPartition(request.topic, message.partition(), message.offset() + 1)
    reader.commit(offsets=[position], asynchronous=False)
    reader.close()


def group_settings(request):
    if request.protocol == "consumer":
        return {"group.protocol": "consumer"}
    assignor = {"partition.assignment.strategy": request.assignor} if request.assignor else {}
    return {"session.timeout.ms": 3000, "heartbeat.interval.ms": 300, **assignor}


def member(request):
    stop = Stop()
    reader = consumer(request, **group_settings(request))
    owned = set()

    def assigned(_reader, partitions):
        owned.update(each.partition for each in partitions)
        emit_owns(owned)

    def given_up(_reader, partitions):
        owned.difference_update(each.partition for each in partitions)
        emit_owns(owned)

    reader.subscribe([request.topic], on_assign=assigned, on_revoke=given_up, on_lost=given_up)
    while not stop:
        positions = {}
        for message in reader.consume(20, 0.1):
            show(checked(message))
            positions[message.partition()] = message.offset() + 1
        offsets = [TopicPartition(request.topic, *each) for each in positions.items()]
        try:
            if offsets:
                reader.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # A rebalance has begun, or the broker is gone: whoever gets them reads these again.
            print(f"commit: {error}", file=sys.stderr)
    reader.close()


def transactional_producer(request):
    settings = {
        "bootstrap.servers": request.address,
        "transactional.id": request.transactionalId,
        "linger.ms": 5,
    }
    producer = Producer(settings)
    producer.init_transactions(30)
    return producer


def transact(request):
    producer = transactional_producer(request)
    for transaction in request.transactions:
        producer.begin_transaction()
        send(producer, request.topic, transaction["records"])
        if "offset" in transaction:
            reader = Consumer(
                {"bootstrap.servers": request.address, "group.id": transaction["offset"]["group"]}
            )
            position = TopicPartition(request.topic, 0, transaction["offset"]["offset"])
            producer.send_offsets_to_transaction([position], reader.consumer_group_metadata())
            reader.close()
        if transaction["outcome"] == "commit":
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)


def fence(request):
    first = transactional_producer(request)
    first.begin_transaction()
    send(first, request.topic, request.first)
    second = transactional_producer(request)
    second.begin_transaction()
    send(second, request.topic, request.second)
    try:
        first.commit_transaction(30)
        emit(type="fenced", fenced=False, error="it could commit")
    except KafkaException as failure:
        error = failure.args[0]
        emit(type="fenced", fenced=error.code() in FENCED_CODES, error=error.str())
    second.commit_transaction(30)


def verdict_on(message):
    value = message.value().decode()
    first_time = message.delivery_count() == 1
    if value.startswith("hold") and first_time:
        return "hold"
    if value.startswith("release") and first_time:
        return "release"
    return "reject" if value.startswith("reject") else "accept"


VERDICTS = {
    "accept": AcknowledgeType.ACCEPT,
    "release": AcknowledgeType.RELEASE,
    "reject": AcknowledgeType.REJECT,
}


def share(request):
    stop = Stop()
    reader = ShareConsumer(
        {
            "bootstrap.servers": request.address,
            "group.id": request.group,
            "share.acknowledgement.mode": "explicit",
        }
    )
    reader.subscribe([request.topic])
    while not stop:
        messages = [checked(message) for message in reader.poll(0.1)]
        verdicts = [(message, verdict_on(message)) for message in messages]
        for message, verdict in verdicts:
            if verdict != "hold":
                reader.acknowledge(message, VERDICTS[verdict])
        for failure in reader.commit_sync().values():
            if failure:
                raise failure
        for message, verdict in verdicts:
            emit(
                type="delivery",
                partition=message.partition(),
                offset=message.offset(),
                value=message.value().decode(),
                count=message.delivery_count(),
                verdict=verdict,
            )
        # Without an answer to every record the library polls no further: wait for the end.
        if any(verdict == "hold" for _, verdict in verdicts):
            stop.wait()
    reader.close()


def only(futures):
    """The result of the one future in a dictionary of them."""
    (future,) = futures.values()
    return future.result()


def topic_config(step, *more):
    return ConfigResource(ConfigResource.Type.TOPIC, step.topic, *more)


class Admin:
    def __init__(self, address):
        self.client = AdminClient({"bootstrap.servers": address})

    def deeds(self):
        names = [name for name in dir(self) if name.startswith("do_")]
        return {name[3:].replace("_", "-"): getattr(self, name) for name in names}

    def do_create_topic(self, step):
        topic = NewTopic(step.topic, step.partitions, 1, config=step.configs)
        only(self.client.create_topics([topic]))

    def do_list_topics(self, step):
        names = self.client.list_topics(timeout=10).topics
        return {"topics": sorted(name for name in names if name.startswith(step.prefix))}

    def do_describe_topic(self, step):
        topic = self.client.list_topics(step.topic, 10).topics[step.topic]
        return {"partitions": len(topic.partitions)}

    def do_create_partitions(self, step):
        only(self.client.create_partitions([NewPartitions(step.topic, step.total)]))

    def do_describe_config(self, step):
        found = only(self.client.describe_configs([topic_config(step)]))
        return {"value": found[step.key].value}

    def do_alter_config(self, step):
        entry = ConfigEntry(
            step.key, step.value, incremental_operation=AlterConfigOpType.SET
        )
        resource = topic_config(step)
        resource.incremental_configs = [entry]
        only(self.client.incremental_alter_configs([resource]))

    def do_delete_records(self, step):
        position = TopicPartition(step.topic, step.partition, step.before)
        return {"low": only(self.client.delete_records([position])).low_watermark}

    def do_list_groups(self, step):
        found = self.client.list_consumer_groups().result().valid
        names = [group.group_id for group in found]
        return {"groups": sorted(name for name in names if name.startswith(step.prefix))}

    def do_describe_group(self, step):
        group = only(self.client.describe_consumer_groups([step.group]))
        return {"state": group.state.name.capitalize(), "members": len(group.members)}

    def do_group_offsets(self, step):
        wanted = [TopicPartition(step.topic, number) for number in range(step.partitions)]
        request = ConsumerGroupTopicPartitions(step.group, wanted)
        found = only(self.client.list_consumer_group_offsets([request]))
        return {"offsets": [each.offset for each in found.topic_partitions]}

    def do_set_group_offsets(self, step):
        positions = [TopicPartition(step.topic, *each) for each in enumerate(step.offsets)]
        request = ConsumerGroupTopicPartitions(step.group, positions)
        found = only(self.client.alter_consumer_group_offsets([request]))
        for each in found.topic_partitions:
            if each.error:
                raise KafkaException(each.error)

    def do_delete_group(self, step):
        only(self.client.delete_consumer_groups([step.group]))

    def do_delete_topic(self, step):
        only(self.client.delete_topics([step.topic]))


def code_of(error):
    return error.args[0].code() if isinstance(error, KafkaException) else None


def admin(request):
    run_steps(request, Admin(request.address).deeds(), code_of)


if __name__ == "__main__":
    main(
        {
            "produce": produce,
            "consume": consume,
            "read": read,
            "member": member,
            "transact": transact,
            "fence": fence,
            "share": share,
            "admin": admin,
        }
    )
