//! What the request holds, and the lines that are printed: see harness/contract.ts.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub type Failure = Box<dyn std::error::Error>;
pub type Outcome<T = ()> = Result<T, Failure>;

/// Prints one line, whole.
pub fn emit(event: Value) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{event}").expect("standard output is open");
}

pub fn emit_owns(partitions: &BTreeSet<i32>) {
    let at = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970");
    emit(json!({ "type": "owns", "partitions": partitions, "at": at.as_millis() as u64 }));
}

/// A field that is text; an absent one is empty.
pub fn text<'a>(request: &'a Value, name: &str) -> &'a str {
    request[name].as_str().unwrap_or_default()
}

pub fn number(request: &Value, name: &str) -> i64 {
    request[name].as_i64().unwrap_or_default()
}

pub fn list<'a>(request: &'a Value, name: &str) -> &'a [Value] {
    request[name].as_array().map_or(&[], Vec::as_slice)
}

/// Tells when a reader has seen the last offset of every partition.
pub struct Progress {
    last: Vec<i64>,
    missing: BTreeSet<usize>,
}

impl Progress {
    pub fn new(request: &Value) -> Self {
        let last: Vec<i64> = list(request, "last")
            .iter()
            .filter_map(Value::as_i64)
            .collect();
        let missing = (0..last.len()).collect();
        Self { last, missing }
    }

    pub fn saw(&mut self, partition: i32, offset: i64) {
        let partition = partition as usize;
        if offset >= self.last[partition] {
            self.missing.remove(&partition);
        }
    }

    pub fn is_done(&self) -> bool {
        self.missing.is_empty()
    }
}

/// Does the steps of an admin request; `code_of` gives an error's Kafka code.
pub fn run_steps(
    request: &Value,
    deed: impl Fn(&Value) -> Outcome<Value>,
    code_of: impl Fn(&Failure) -> Option<i32>,
) -> Outcome {
    for step in list(request, "steps") {
        let mut answer = match deed(step) {
            Ok(answer) => answer,
            Err(error) => match code_of(&error) {
                Some(code) => json!({ "error": code }),
                None => return Err(format!("{}: {error}", text(step, "do")).into()),
            },
        };
        answer["type"] = json!("answer");
        emit(answer);
        std::thread::sleep(Duration::from_millis(number(request, "pauseMs") as u64));
    }
    Ok(())
}
