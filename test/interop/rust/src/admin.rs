//! Topics, configs and groups.

use crate::consume::plain_consumer;
use crate::contract::{Failure, Outcome, list, number, run_steps, text};
use futures_executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

struct Admin<'a> {
    request: &'a Value,
    client: AdminClient<DefaultClientContext>,
    options: AdminOptions,
}

pub fn admin(request: &Value) -> Outcome {
    let mut config = ClientConfig::new();
    let client = config
        .set("bootstrap.servers", text(request, "address"))
        .create()?;
    let admin = Admin {
        request,
        client,
        options: AdminOptions::new(),
    };
    run_steps(request, |step| admin.does(step), code_of)
}

fn code_of(error: &Failure) -> Option<i32> {
    let code = match error.downcast_ref::<KafkaError>()? {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    };
    code.map(|code| code as i32)
}

/// The error of the one thing that was asked for, if there is any.
fn only<T, N, E: Into<RDKafkaErrorCode>>(mut results: Vec<Result<T, (N, E)>>) -> Outcome<T> {
    let result = results.pop().ok_or("an empty answer")?;
    Ok(result.map_err(|(_, code)| KafkaError::AdminOp(code.into()))?)
}

fn starting_with<'a>(prefix: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<&str> = names.filter(|name| name.starts_with(prefix)).collect();
    found.sort();
    found
}

impl Admin<'_> {
    fn does(&self, step: &Value) -> Outcome<Value> {
        match text(step, "do") {
            "create-topic" => self.create_topic(step),
            "list-topics" => self.list_topics(step),
            "describe-topic" => self.describe_topic(step),
            "create-partitions" => self.create_partitions(step),
            "describe-config" => self.describe_config(step),
            "alter-config" => self.alter_config(step),
            "delete-records" => self.delete_records(step),
            "list-groups" => self.list_groups(step),
            "describe-group" => self.describe_group(step),
            "group-offsets" => self.group_offsets(step),
            "set-group-offsets" => self.set_group_offsets(step),
            "delete-group" => self.delete_group(step),
            "delete-topic" => self.delete_topic(step),
            other => Err(format!("no such deed: {other}").into()),
        }
    }

    /// Groups are read and moved through a consumer of theirs that never joins them.
    fn consumer_of(&self, step: &Value) -> Outcome<BaseConsumer> {
        let group = match text(step, "group") {
            "" => "interop-admin",
            group => group,
        };
        plain_consumer(
            &json!({ "address": self.request["address"], "group": group }),
            &[],
        )
    }

    fn create_topic(&self, step: &Value) -> Outcome<Value> {
        let partitions = number(step, "partitions") as i32;
        let mut topic = NewTopic::new(text(step, "topic"), partitions, TopicReplication::Fixed(1));
        for (key, value) in step["configs"].as_object().into_iter().flatten() {
            topic = topic.set(key, value.as_str().unwrap_or_default());
        }
        only(block_on(
            self.client.create_topics(&[topic], &self.options),
        )?)?;
        Ok(json!({}))
    }

    fn list_topics(&self, step: &Value) -> Outcome<Value> {
        let metadata = self.client.inner().fetch_metadata(None, PATIENCE)?;
        let names = metadata.topics().iter().map(|topic| topic.name());
        Ok(json!({ "topics": starting_with(text(step, "prefix"), names) }))
    }

    fn describe_topic(&self, step: &Value) -> Outcome<Value> {
        let metadata = self
            .client
            .inner()
            .fetch_metadata(Some(text(step, "topic")), PATIENCE)?;
        Ok(json!({ "partitions": metadata.topics()[0].partitions().len() }))
    }

    fn create_partitions(&self, step: &Value) -> Outcome<Value> {
        let wanted = NewPartitions::new(text(step, "topic"), number(step, "total") as usize);
        only(block_on(
            self.client.create_partitions(&[wanted], &self.options),
        )?)?;
        Ok(json!({}))
    }

    fn describe_config(&self, step: &Value) -> Outcome<Value> {
        let topic = ResourceSpecifier::Topic(text(step, "topic"));
        let mut found = block_on(self.client.describe_configs(&[topic], &self.options))?;
        let resource = found
            .pop()
            .ok_or("an empty answer")?
            .map_err(KafkaError::AdminOp)?;
        Ok(json!({ "value": resource.get(text(step, "key")).ok_or("no such config")?.value }))
    }

    fn alter_config(&self, step: &Value) -> Outcome<Value> {
        let change = AlterConfig::new(ResourceSpecifier::Topic(text(step, "topic")))
            .set(text(step, "key"), text(step, "value"));
        only(block_on(
            self.client.alter_configs(&[change], &self.options),
        )?)?;
        Ok(json!({}))
    }

    fn delete_records(&self, step: &Value) -> Outcome<Value> {
        let mut before = TopicPartitionList::new();
        let partition = number(step, "partition") as i32;
        let offset = Offset::Offset(number(step, "before"));
        before.add_partition_offset(text(step, "topic"), partition, offset)?;
        let found = block_on(self.client.delete_records(&before, &self.options))?;
        let element = found.elements().pop().ok_or("an empty answer")?;
        element.error()?;
        Ok(json!({ "low": element.offset().to_raw() }))
    }

    fn list_groups(&self, step: &Value) -> Outcome<Value> {
        let groups = self.consumer_of(step)?.fetch_group_list(None, PATIENCE)?;
        let names = groups.groups().iter().map(|group| group.name());
        Ok(json!({ "groups": starting_with(text(step, "prefix"), names) }))
    }

    fn describe_group(&self, step: &Value) -> Outcome<Value> {
        let asked = Some(text(step, "group"));
        let groups = self.consumer_of(step)?.fetch_group_list(asked, PATIENCE)?;
        let group = groups.groups().first().ok_or("no such group")?;
        Ok(json!({ "state": group.state(), "members": group.members().len() }))
    }

    fn group_offsets(&self, step: &Value) -> Outcome<Value> {
        let mut wanted = TopicPartitionList::new();
        for partition in 0..number(step, "partitions") {
            wanted.add_partition(text(step, "topic"), partition as i32);
        }
        let found = self
            .consumer_of(step)?
            .committed_offsets(wanted, PATIENCE)?;
        let offsets = found
            .elements()
            .into_iter()
            .map(|each| each.offset().to_raw());
        Ok(json!({ "offsets": offsets.collect::<Vec<_>>() }))
    }

    fn set_group_offsets(&self, step: &Value) -> Outcome<Value> {
        let mut wanted = TopicPartitionList::new();
        for (partition, offset) in list(step, "offsets").iter().enumerate() {
            let offset = Offset::Offset(offset.as_i64().ok_or("an offset is a number")?);
            wanted.add_partition_offset(text(step, "topic"), partition as i32, offset)?;
        }
        self.consumer_of(step)?.commit(&wanted, CommitMode::Sync)?;
        Ok(json!({}))
    }

    fn delete_group(&self, step: &Value) -> Outcome<Value> {
        let groups = [text(step, "group")];
        only(block_on(self.client.delete_groups(&groups, &self.options))?)?;
        Ok(json!({}))
    }

    fn delete_topic(&self, step: &Value) -> Outcome<Value> {
        let topics = [text(step, "topic")];
        only(block_on(self.client.delete_topics(&topics, &self.options))?)?;
        Ok(json!({}))
    }
}
