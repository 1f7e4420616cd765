//! The crate rdkafka (librdkafka) as a client program of harness/contract.ts.

mod admin;
mod consume;
mod contract;
mod produce;

use contract::Outcome;
use serde_json::Value;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().collect();
    let request: Value = serde_json::from_str(&std::fs::read_to_string(&arguments[2])?)?;
    match arguments[1].as_str() {
        "produce" => produce::produce(&request),
        "consume" => consume::consume(&request),
        "read" => consume::read(&request),
        "member" => consume::member(&request),
        "transact" => produce::transact(&request),
        "fence" => produce::fence(&request),
        "admin" => admin::admin(&request),
        other => Err(format!("unknown command {other}").into()),
    }
}
