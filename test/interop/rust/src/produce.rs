//! Producing: plain, idempotent, in transactions.

use crate::consume;
use crate::contract::{Outcome, emit, list, number, text};
use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps the first error of a delivery.
#[derive(Default)]
struct Deliveries(Mutex<Option<KafkaError>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        if let Err((error, _)) = result {
            self.0.lock().unwrap().get_or_insert_with(|| error.clone());
        }
    }
}

type SomeProducer = BaseProducer<Deliveries>;

fn producer(request: &Value, settings: &[(&str, &str)]) -> Outcome<SomeProducer> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", text(request, "address"))
        .set("linger.ms", "20");
    for (key, value) in settings {
        config.set(*key, *value);
    }
    Ok(config.create_with_context(Deliveries::default())?)
}

fn send(producer: &SomeProducer, topic: &str, records: &[Value]) -> Outcome {
    for each in records {
        let mut headers = OwnedHeaders::new();
        for header in list(each, "headers") {
            let (key, value) = (header[0].as_str().unwrap_or_default(), header[1].as_str());
            headers = headers.insert(Header { key, value });
        }
        let mut record = BaseRecord::<str, str>::to(topic)
            .partition(number(each, "partition") as i32)
            .timestamp(number(each, "timestamp"))
            .headers(headers);
        record.key = each["key"].as_str();
        record.payload = each["value"].as_str();
        producer.send(record).map_err(|(error, _)| error)?;
    }
    producer.flush(PATIENCE)?;
    match producer.context().0.lock().unwrap().take() {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

pub fn produce(request: &Value) -> Outcome {
    let idempotent = request["idempotent"].to_string();
    let settings = [
        ("compression.type", text(request, "codec")),
        ("enable.idempotence", &idempotent),
    ];
    let producer = producer(request, &settings)?;
    send(&producer, text(request, "topic"), list(request, "records"))
}

fn transactional(request: &Value) -> Outcome<SomeProducer> {
    let producer = producer(
        request,
        &[("transactional.id", text(request, "transactionalId"))],
    )?;
    producer.init_transactions(PATIENCE)?;
    Ok(producer)
}

/// Commits an offset of partition 0 for a group within the open transaction.
fn send_offset(producer: &SomeProducer, request: &Value, offset: &Value) -> Outcome {
    let group = json!({ "address": request["address"], "group": offset["group"] });
    let reader = consume::plain_consumer(&group, &[])?;
    let metadata = reader.group_metadata().ok_or("the consumer has no group")?;
    let mut offsets = TopicPartitionList::new();
    let position = Offset::Offset(number(offset, "offset"));
    offsets.add_partition_offset(text(request, "topic"), 0, position)?;
    Ok(producer.send_offsets_to_transaction(&offsets, &metadata, PATIENCE)?)
}

pub fn transact(request: &Value) -> Outcome {
    let producer = transactional(request)?;
    for transaction in list(request, "transactions") {
        producer.begin_transaction()?;
        send(
            &producer,
            text(request, "topic"),
            list(transaction, "records"),
        )?;
        if let Some(offset) = transaction.get("offset") {
            send_offset(&producer, request, offset)?;
        }
        match text(transaction, "outcome") {
            "commit" => producer.commit_transaction(PATIENCE)?,
            _ => producer.abort_transaction(PATIENCE)?,
        }
    }
    Ok(())
}

fn tells_of_fencing(error: &KafkaError) -> bool {
    let fenced = [
        RDKafkaErrorCode::Fenced,
        RDKafkaErrorCode::InvalidProducerEpoch,
        RDKafkaErrorCode::ProducerFenced,
    ];
    error
        .rdkafka_error_code()
        .is_some_and(|code| fenced.contains(&code))
}

pub fn fence(request: &Value) -> Outcome {
    let topic = text(request, "topic");
    let first = transactional(request)?;
    first.begin_transaction()?;
    send(&first, topic, list(request, "first"))?;
    let second = transactional(request)?;
    second.begin_transaction()?;
    send(&second, topic, list(request, "second"))?;
    let (fenced, words) = match first.commit_transaction(PATIENCE) {
        Ok(()) => (false, "it could commit".to_owned()),
        Err(error) => (tells_of_fencing(&error), error.to_string()),
    };
    emit(json!({ "type": "fenced", "fenced": fenced, "error": words }));
    Ok(second.commit_transaction(PATIENCE)?)
}
