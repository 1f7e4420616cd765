"""kafka-python as a client program of harness/contract.ts, both 2.0.2 and 3.

Version 2.0.2 brings a copy of `six` that Python 3.12 can no longer import; the real one takes its
place there, as everybody does who still runs it.
"""

import itertools
import sys

if sys.version_info >= (3, 12):
    try:
        import six

        sys.modules["kafka.vendor.six"] = six
        sys.modules["kafka.vendor.six.moves"] = six.moves
    except ImportError:
        pass  # Version 3 needs none.

import kafka
from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka import OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.errors import KafkaError, for_code

from contract import Progress, Request, Stop, emit, emit_owns, emit_record, main, run_steps, to_bytes

IS_OLD = kafka.__version__.startswith("2.")
FENCED_CODES = {47, 90}  # INVALID_PRODUCER_EPOCH, PRODUCER_FENCED


def send(producer, topic, records):
    sent = [
        producer.send(
            topic,
            value=to_bytes(record["value"]),
            key=to_bytes(record["key"]),
            headers=[(name, to_bytes(value)) for name, value in record["headers"]],
            partition=record["partition"],
            timestamp_ms=record["timestamp"],
        )
        for record in records
    ]
    producer.flush()
    for future in sent:
        future.get(30)


def produce(request):
    settings = {
        "bootstrap_servers": request.address,
        "compression_type": None if request.codec == "none" else request.codec,
        "linger_ms": 20,
    }
    if not IS_OLD:
        settings["enable_idempotence"] = bool(request.idempotent)
    producer = KafkaProducer(**settings)
    send(producer, request.topic, request.records)
    producer.close()


def consumer(request, **more):
    return KafkaConsumer(
        bootstrap_servers=request.address,
        group_id=request.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=100,
        **more,
    )


def position(offset):
    return OffsetAndMetadata(offset, "") if IS_OLD else OffsetAndMetadata(offset, "", -1)


def show(record):
    emit_record(
        record.partition,
        record.offset,
        record.key,
        record.value,
        record.headers,
        record.timestamp,
    )


def consume(request):
    isolation = {} if IS_OLD else {"isolation_level": request.isolation}
    reader = consumer(request, **isolation)
    partitions = [TopicPartition(request.topic, number) for number in range(len(request.last))]
    reader.assign(partitions)
    reader.seek_to_beginning(*partitions)
    progress = Progress(request.last)
    while not progress.is_done:
        for records in reader.poll(100).values():
            for record in records:
                show(record)
                progress.saw(record.partition, record.offset)
    reader.close()


# When a poll of version 3.0.12 runs into its timeout between the answers to JoinGroup and SyncGroup,
# the member forgets its assignment, sends no heartbeats and stays out: so it polls without end.
POLL_MS = 100 if IS_OLD else 3_600_000


def read(request):
    reader = consumer(request, max_poll_records=1)
    reader.subscribe([request.topic])
    left = request.count
    while left > 0:
        for partition, records in reader.poll(POLL_MS).items():
            for record in records:
                show(record)
                left -= 1
                if left == 0:
                    reader.commit({partition: position(record.offset + 1)})
    reader.close()


class ShowsOwned(ConsumerRebalanceListener):
    def __init__(self):
        self.owned = set()

    def on_partitions_revoked(self, revoked):
        self.owned.difference_update(each.partition for each in revoked)
        emit_owns(self.owned)

    def on_partitions_assigned(self, assigned):
        self.owned.update(each.partition for each in assigned)
        emit_owns(self.owned)


def assignors(request):
    if request.assignor != "cooperative-sticky":
        return {}
    from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

    return {"partition_assignment_strategy": [CooperativeStickyAssignor]}


def member(request):
    stop = Stop()
    reader = consumer(
        request, session_timeout_ms=3000, heartbeat_interval_ms=300, **assignors(request)
    )
    listener = ShowsOwned()
    reader.subscribe([request.topic], listener=listener)
    while not stop:
        try:
            polled = stop.interrupts(lambda: reader.poll(POLL_MS, max_records=20)) or {}
            for record in itertools.chain(*polled.values()):
                show(record)
            for partition, records in polled.items():
                reader.commit({partition: position(records[-1].offset + 1)})
        except KafkaError as error:
            # A rebalance has begun, or the broker is gone: whoever gets them reads these again.
            print(repr(error), file=sys.stderr)
    listener.on_partitions_revoked(reader.assignment())
    reader.close()


def transactional_producer(request):
    producer = KafkaProducer(
        bootstrap_servers=request.address, transactional_id=request.transactionalId, linger_ms=5
    )
    producer.init_transactions()
    return producer


def transact(request):
    producer = transactional_producer(request)
    for transaction in request.transactions:
        producer.begin_transaction()
        send(producer, request.topic, transaction["records"])
        if "offset" in transaction:
            offset = {TopicPartition(request.topic, 0): position(transaction["offset"]["offset"])}
            producer.send_offsets_to_transaction(offset, transaction["offset"]["group"])
        if transaction["outcome"] == "commit":
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close()


def fence(request):
    first = transactional_producer(request)
    first.begin_transaction()
    send(first, request.topic, request.first)
    second = transactional_producer(request)
    second.begin_transaction()
    send(second, request.topic, request.second)
    try:
        first.commit_transaction()
        emit(type="fenced", fenced=False, error="it could commit")
    except KafkaError as error:
        emit(type="fenced", fenced=code_of(error) in FENCED_CODES, error=repr(error))
    second.commit_transaction()
    second.close()


def code_of(error):
    if not isinstance(error, KafkaError) or error is KafkaError:
        return None
    code = getattr(error, "errno", None)
    return code if isinstance(code, int) and code > 0 else None


class OldAdmin:
    """Version 2.0.2 hands out its decoded responses, and no errors but those it retries."""

    def __init__(self, address):
        self.address = address
        self.client = KafkaAdminClient(bootstrap_servers=address)

    def deeds(self):
        names = [name for name in dir(self) if name.startswith("do_")]
        return {name[3:].replace("_", "-"): getattr(self, name) for name in names}

    def check(self, error_code):
        if error_code != 0:
            raise for_code(error_code)()

    def do_create_topic(self, step):
        topic = NewTopic(step.topic, step.partitions, 1, topic_configs=step.configs)
        self.client.create_topics([topic])

    def do_list_topics(self, step):
        names = self.client.list_topics()
        return {"topics": sorted(name for name in names if name.startswith(step.prefix))}

    def do_describe_topic(self, step):
        (topic,) = self.client.describe_topics([step.topic])
        return {"partitions": len(topic["partitions"])}

    def do_create_partitions(self, step):
        self.client.create_partitions({step.topic: NewPartitions(step.total)})

    def do_describe_config(self, step):
        resource = ConfigResource(ConfigResourceType.TOPIC, step.topic)
        (response,) = self.client.describe_configs([resource])
        error_code, _message, _type, _name, entries = response.resources[0]
        self.check(error_code)
        return {"value": {entry[0]: entry[1] for entry in entries}[step.key]}

    def do_alter_config(self, step):
        changes = {step.key: step.value}
        resource = ConfigResource(ConfigResourceType.TOPIC, step.topic, configs=changes)
        response = self.client.alter_configs([resource])
        self.check(response.resources[0][0])

    def do_list_groups(self, step):
        names = [name for name, _type in self.client.list_consumer_groups()]
        return {"groups": sorted(name for name in names if name.startswith(step.prefix))}

    def do_describe_group(self, step):
        (group,) = self.client.describe_consumer_groups([step.group])
        return {"state": group.state, "members": len(group.members)}

    def do_group_offsets(self, step):
        wanted = [TopicPartition(step.topic, number) for number in range(step.partitions)]
        found = self.client.list_consumer_group_offsets(step.group, partitions=wanted)
        return {"offsets": [found[each].offset for each in wanted]}

    def do_set_group_offsets(self, step):
        """By a consumer of that group, as the admin client of the time had no such call."""
        reader = consumer(Request({"address": self.address, "group": step.group}))
        wanted = {
            TopicPartition(step.topic, number): position(offset)
            for number, offset in enumerate(step.offsets)
        }
        reader.assign(list(wanted))
        reader.commit(wanted)
        reader.close()

    def do_delete_group(self, step):
        ((_group, error),) = self.client.delete_consumer_groups([step.group])
        self.check(error.errno)

    def do_delete_topic(self, step):
        self.client.delete_topics([step.topic])


class Admin(OldAdmin):
    def do_describe_config(self, step):
        resource = ConfigResource(ConfigResourceType.TOPIC, step.topic)
        found = self.client.describe_configs([resource], config_filter="all")
        return {"value": found["topic"][step.topic][step.key]["value"]}

    def do_alter_config(self, step):
        changes = {step.key: step.value}
        resource = ConfigResource(ConfigResourceType.TOPIC, step.topic, configs=changes)
        self.client.alter_configs([resource])

    def do_delete_records(self, step):
        partition = TopicPartition(step.topic, step.partition)
        answer = self.client.delete_records({partition: step.before})[partition]
        return {"low": answer["low_watermark"]}

    def do_list_groups(self, step):
        names = [group["group_id"] for group in self.client.list_groups()]
        return {"groups": sorted(name for name in names if name.startswith(step.prefix))}

    def do_describe_group(self, step):
        group = self.client.describe_groups([step.group])[step.group]
        return {"state": group["group_state"], "members": len(group["members"])}

    def do_group_offsets(self, step):
        wanted = [TopicPartition(step.topic, number) for number in range(step.partitions)]
        found = self.client.list_group_offsets({step.group: wanted})[step.group]
        return {"offsets": [found[each].offset for each in wanted]}

    def do_set_group_offsets(self, step):
        wanted = {
            TopicPartition(step.topic, number): position(offset)
            for number, offset in enumerate(step.offsets)
        }
        for error in self.client.alter_group_offsets(step.group, wanted).values():
            self.check(error.errno)

    def do_delete_group(self, step):
        answer = self.client.delete_groups([step.group])
        if answer[step.group] != "OK":
            raise KafkaError(answer)


def admin(request):
    offered = OldAdmin if IS_OLD else Admin
    run_steps(request, offered(request.address).deeds(), code_of)


if __name__ == "__main__":
    main(
        {
            "produce": produce,
            "consume": consume,
            "read": read,
            "member": member,
            "transact": transact,
            "fence": fence,
            "admin": admin,
        }
    )
