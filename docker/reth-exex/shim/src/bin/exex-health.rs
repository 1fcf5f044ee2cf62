//! Asks a server of `exex.v1` whether it is well, for a container's health check: `exex-health [ADDRESS]`, an address as
//! `--exex.listen` takes it; without one, that of EXEX_LISTEN. Exit code 0: it serves; 1: it does not, and stderr says why.
//! A server with TLS is only asked to take a connection: its certificate is for other names than the loopback's.

use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use monmouth_exex_shim::Listen;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const PATIENCE: Duration = Duration::from_secs(2);
const SERVICE: &str = "exex.v1.ExEx";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let given = std::env::args().nth(1).or_else(|| std::env::var("EXEX_LISTEN").ok());
    match check(given.as_deref().unwrap_or("127.0.0.1:50051")).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("exex-health: {reason}");
            ExitCode::FAILURE
        }
    }
}

async fn check(address: &str) -> Result<(), String> {
    let uri = match address.parse()? {
        Listen::Tcp(mut socket) => {
            // It listens everywhere: from here it is reached on the loopback.
            if socket.ip().is_unspecified() {
                let loopback = if socket.is_ipv4() {
                    [127, 0, 0, 1].into()
                } else {
                    IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])
                };
                socket.set_ip(loopback);
            }
            if std::env::var_os("EXEX_TLS_CERT").is_some() {
                let connected = tokio::time::timeout(PATIENCE, tokio::net::TcpStream::connect(socket)).await;
                return match connected {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(error)) => Err(format!("expected {socket} to take a connection: {error}")),
                    Err(_) => Err(format!("expected {socket} to take a connection within 2 s")),
                };
            }
            format!("http://{socket}")
        }
        Listen::Unix(path) => format!("unix:{}", path.display()),
    };
    let endpoint = Endpoint::from_shared(uri).map_err(|error| format!("{address}: {error}"))?;
    let endpoint = endpoint.connect_timeout(PATIENCE).timeout(PATIENCE);
    let channel =
        endpoint.connect().await.map_err(|error| format!("expected an answer from {address}: {error:?}"))?;
    let request = HealthCheckRequest { service: SERVICE.to_owned() };
    let answer =
        HealthClient::new(channel).check(request).await.map_err(|status| format!("{address}: {status}"))?;
    match answer.into_inner().status() {
        ServingStatus::Serving => Ok(()),
        other => Err(format!("expected {address} to be serving, it says {}", other.as_str_name())),
    }
}
