//! The program that a container's health check runs.

mod common;

use std::process::Output;

use common::{Served, limits};
use monmouth_exex_shim::{Listen, ServerOptions, Shim};

async fn exex_health(address: String) -> Output {
    let program = env!("CARGO_BIN_EXE_exex-health");
    let run = move || std::process::Command::new(program).arg(address).env_remove("EXEX_TLS_CERT").output();
    tokio::task::spawn_blocking(run).await.expect("no panic").expect("the program runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_serves_is_well_and_one_that_is_gone_is_not() {
    let served = Served::start(limits()).await;
    let address = served.shim.local_address().expect("listens on TCP").to_string();
    assert!(exex_health(address.clone()).await.status.success());
    served.shim.close().await;
    let output = exex_health(address.clone()).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&address), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_is_asked_as_well() {
    let path = std::env::temp_dir().join(format!("exex-health-{}.sock", std::process::id()));
    let chain = std::sync::Arc::new(common::scripted_chain::ScriptedChain::new(0));
    let options = ServerOptions::plain(Listen::Unix(path.clone()));
    let (shim, _heights) = Shim::start(chain, limits(), options).await.expect("starts");
    let output = exex_health(format!("unix:{}", path.display())).await;
    assert!(output.status.success(), "{output:?}");
    shim.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_address_is_said_to_be_none() {
    let output = exex_health("nowhere".to_owned()).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("expected an address"), "{output:?}");
}
