//! How the server is reached: TLS on either side, unix sockets, addresses that cannot be had.

#[path = "common/scripted_chain.rs"]
mod scripted_chain;

use std::sync::Arc;

use monmouth_exex_shim::proto::v1::GetInfoRequest;
use monmouth_exex_shim::proto::v1::ex_ex_client::ExExClient;
use monmouth_exex_shim::{Limits, Listen, ServerOptions, Shim, StartError, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use scripted_chain::{CHAIN_ID, ScriptedChain};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Error, Identity};

async fn start(options: ServerOptions) -> Result<Shim, StartError> {
    Ok(Shim::start(Arc::new(ScriptedChain::new(0)), Limits::default(), options).await?.0)
}

async fn chain_id(channel: Channel) -> u64 {
    let info = ExExClient::new(channel).get_info(GetInfoRequest {}).await.expect("answers");
    info.into_inner().chain_id
}

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("signs itself"))
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key of `localhost`.
    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        (params.signed_by(&key, &self.0).expect("signs").pem(), key.serialize_pem())
    }
}

async fn connect(shim: &Shim, tls: ClientTlsConfig) -> Result<Channel, Error> {
    let port = shim.local_address().expect("listens on TCP").port();
    let endpoint = Endpoint::from_shared(format!("https://127.0.0.1:{port}")).expect("a URL");
    endpoint.tls_config(tls.domain_name("localhost"))?.connect().await
}

#[tokio::test]
async fn serves_those_who_trust_its_certificate_and_asks_for_theirs() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue();
    let server_tls = |client_ca: Option<String>| Tls {
        certificate: certificate.clone().into_bytes(),
        key: key.clone().into_bytes(),
        client_ca: client_ca.map(String::into_bytes),
    };
    let listen: Listen = "127.0.0.1:0".parse().expect("an address");
    let options = |client_ca| ServerOptions {
        tls: Some(server_tls(client_ca)),
        ..ServerOptions::plain(listen.clone())
    };
    let trusting = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority.pem()));

    let shim = start(options(None)).await.expect("starts");
    assert_eq!(chain_id(connect(&shim, trusting.clone()).await.expect("connects")).await, CHAIN_ID);
    let other = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(Authority::new().pem()));
    connect(&shim, other).await.expect_err("does not trust it");
    shim.close().await;

    let shim = start(options(Some(authority.pem()))).await.expect("starts");
    let (certificate, key) = authority.issue();
    let known = trusting.clone().identity(Identity::from_pem(certificate, key));
    assert_eq!(chain_id(connect(&shim, known).await.expect("connects")).await, CHAIN_ID);
    // With TLS 1.3 a client learns that its certificate is missed at its first call.
    if let Ok(channel) = connect(&shim, trusting).await {
        ExExClient::new(channel).get_info(GetInfoRequest {}).await.expect_err("shows no certificate");
    }
    shim.close().await;
}

#[tokio::test]
async fn a_certificate_that_is_none_is_said_before_anything_listens() {
    let listen: Listen = "127.0.0.1:0".parse().expect("an address");
    let tls = Tls { certificate: b"no".to_vec(), key: b"no".to_vec(), client_ca: None };
    let result = start(ServerOptions { tls: Some(tls), ..ServerOptions::plain(listen) }).await;
    assert!(matches!(result.map(|_| ()), Err(StartError::Tls(_))));
}

#[tokio::test]
async fn a_unix_socket_left_behind_is_replaced_and_one_in_use_is_not() {
    let path = std::env::temp_dir().join(format!("exex-shim-{}.sock", std::process::id()));
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket nobody listens on afterwards"));
    let options = ServerOptions::plain(format!("unix:{}", path.display()).parse().expect("a path"));
    let shim = start(options.clone()).await.expect("replaces it");
    let endpoint = Endpoint::from_shared(format!("unix:{}", path.display())).expect("a path");
    assert_eq!(chain_id(endpoint.connect().await.expect("connects")).await, CHAIN_ID);
    assert!(matches!(start(options).await.map(|_| ()), Err(StartError::Listen { .. })));
    shim.close().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn an_address_in_use_or_none_at_all_is_refused() {
    let listen: Listen = "127.0.0.1:0".parse().expect("an address");
    let shim = start(ServerOptions::plain(listen)).await.expect("starts");
    let taken = Listen::Tcp(shim.local_address().expect("listens on TCP"));
    assert!(matches!(start(ServerOptions::plain(taken)).await.map(|_| ()), Err(StartError::Listen { .. })));
    for text in ["localhost", "127.0.0.1", "unix:relative", ""] {
        assert!(text.parse::<Listen>().is_err(), "{text}");
    }
}
