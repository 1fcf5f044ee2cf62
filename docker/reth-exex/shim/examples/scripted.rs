//! A server over a scripted chain, for the tests of other languages: one JSON command a line on stdin, one answer a line on
//! stdout. `cargo run --example scripted -- [--ring-blocks N] [--input-bytes N]`; the first line says where it listens.
//! It ends with its stdin.

#[path = "../tests/common/scripted_chain.rs"]
mod scripted_chain;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use monmouth_exex_shim::{BlockRef, Limits, Listen, ServerOptions, Shim};
use scripted_chain::{CHAIN_ID, ScriptedChain};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = |name: &str| std::env::args().skip_while(|given| given != name).nth(1);
    let number = |name: &str| argument(name).map(|text| text.parse::<usize>()).transpose();
    let defaults = Limits::default();
    let limits = Limits {
        heartbeat: Duration::from_millis(20),
        read_retry: Duration::from_millis(5),
        watch: Duration::from_millis(20),
        watch_patience: Duration::from_millis(200),
        close_timeout: Duration::from_millis(200),
        ring_blocks: number("--ring-blocks")?.unwrap_or(defaults.ring_blocks),
        ..defaults
    };
    let chain = Arc::new(ScriptedChain::new(number("--input-bytes")?.unwrap_or(0)));
    let listen: Listen = "127.0.0.1:0".parse()?;
    let (shim, mut heights) = Shim::start(chain.clone(), limits, ServerOptions::plain(listen)).await?;
    let told = Arc::new(Mutex::new(Vec::<BlockRef>::new()));
    let telling = Arc::clone(&told);
    tokio::spawn(async move {
        while let Some(height) = heights.recv().await {
            telling.lock().expect("no writer panics").push(height);
        }
    });
    println!("{}", json!({ "listening": shim.local_address(), "chainId": CHAIN_ID }));

    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let command: Value = serde_json::from_str(&line)?;
        let argument = |name: &str| command[name].as_u64().unwrap_or(0) as usize;
        let answer = match command["command"].as_str() {
            // `silent`: the node does not notify of it, as one whose feed has a hole.
            Some("change") => {
                let notification = chain.change(argument("depth"), argument("count"));
                if command["silent"] != true {
                    chain.notify(&shim, notification);
                }
                json!({ "head": to_json(*chain.canonical().last().expect("a genesis block")) })
            }
            Some("finalize") => {
                chain.finalize(argument("number"));
                json!({})
            }
            Some("canonical") => json!(chain.canonical().into_iter().map(to_json).collect::<Vec<_>>()),
            Some("finishedHeights") => {
                let told = told.lock().expect("no writer panics").clone();
                json!(told.into_iter().map(to_json).collect::<Vec<_>>())
            }
            Some("endFeed") => {
                shim.feed_ended();
                json!({})
            }
            _ => json!({ "error": format!("unknown command: {line}") }),
        };
        println!("{answer}");
    }
    shim.close().await;
    Ok(())
}

fn to_json(block: BlockRef) -> Value {
    json!({ "number": block.number.to_string(), "hash": block.hash.to_string() })
}
