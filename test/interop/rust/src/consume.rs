//! Consuming: whole partitions, and as a member of a group.

use crate::contract::{Outcome, Progress, emit, emit_owns, list, number, text};
use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MOMENT: Duration = Duration::from_millis(100);

fn config(request: &Value, settings: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", text(request, "address"))
        .set("group.id", text(request, "group"))
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "100");
    for (key, value) in settings {
        config.set(*key, *value);
    }
    config
}

pub fn plain_consumer(request: &Value, settings: &[(&str, &str)]) -> Outcome<BaseConsumer> {
    Ok(config(request, settings).create()?)
}

fn as_text(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn show(message: &BorrowedMessage<'_>) {
    let headers: Vec<(&str, Option<String>)> = message
        .headers()
        .map(|headers| {
            headers
                .iter()
                .map(|each| (each.key, as_text(each.value)))
                .collect()
        })
        .unwrap_or_default();
    emit(json!({
        "type": "record",
        "partition": message.partition(),
        "offset": message.offset(),
        "key": as_text(message.key()),
        "value": as_text(message.payload()),
        "headers": headers,
        "timestamp": message.timestamp().to_millis(),
    }));
}

pub fn consume(request: &Value) -> Outcome {
    let reader = plain_consumer(request, &[("isolation.level", text(request, "isolation"))])?;
    let mut start = TopicPartitionList::new();
    for partition in 0..list(request, "last").len() {
        let topic = text(request, "topic");
        start.add_partition_offset(topic, partition as i32, Offset::Beginning)?;
    }
    reader.assign(&start)?;
    let mut progress = Progress::new(request);
    while !progress.is_done() {
        if let Some(message) = reader.poll(MOMENT) {
            let message = message?;
            show(&message);
            progress.saw(message.partition(), message.offset());
        }
    }
    Ok(())
}

pub fn read(request: &Value) -> Outcome {
    let reader = plain_consumer(request, &[])?;
    reader.subscribe(&[text(request, "topic")])?;
    let mut left = number(request, "count");
    while left > 0 {
        if let Some(message) = reader.poll(MOMENT) {
            let message = message?;
            show(&message);
            left -= 1;
            if left == 0 {
                reader.commit_message(&message, CommitMode::Sync)?;
            }
        }
    }
    Ok(())
}

/// Prints the partitions before some are given up and after some were got.
#[derive(Default)]
struct ShowsOwned(Mutex<BTreeSet<i32>>);

impl ShowsOwned {
    fn change(&self, partitions: &TopicPartitionList, change: fn(&mut BTreeSet<i32>, i32)) {
        let mut owned = self.0.lock().unwrap();
        for each in partitions.elements() {
            change(&mut owned, each.partition());
        }
        emit_owns(&owned);
    }
}

impl ClientContext for ShowsOwned {}

impl ConsumerContext for ShowsOwned {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            self.change(partitions, |owned, partition| {
                owned.remove(&partition);
            });
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            self.change(partitions, |owned, partition| {
                owned.insert(partition);
            });
        }
    }
}

pub fn member(request: &Value) -> Outcome {
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&stop))?;
    let settings = match text(request, "protocol") {
        "consumer" => vec![("group.protocol", "consumer")],
        _ => vec![
            ("session.timeout.ms", "3000"),
            ("heartbeat.interval.ms", "300"),
        ],
    };
    let reader: BaseConsumer<ShowsOwned> =
        config(request, &settings).create_with_context(ShowsOwned::default())?;
    reader.subscribe(&[text(request, "topic")])?;
    while !stop.load(Ordering::Relaxed) {
        match reader.poll(MOMENT) {
            None => {}
            // The library goes on by itself, for instance when the broker is back.
            Some(Err(error)) => eprintln!("poll: {error}"),
            Some(Ok(message)) => {
                show(&message);
                if let Err(error) = reader.commit_message(&message, CommitMode::Sync) {
                    // A rebalance has begun: whoever gets the partition reads this again.
                    eprintln!("commit: {error}");
                }
            }
        }
    }
    Ok(())
}
