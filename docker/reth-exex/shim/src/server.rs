//! Listens, and serves what the hub has.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::{Mutex, mpsc, watch};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::server::{Router, TcpIncoming};
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tracing::info;

use crate::auth::Tokens;
use crate::chain::{BlockRef, ChainNotification, ChainReader, ReadError};
use crate::hub::Hub;
use crate::limits::{CLIENT_FRAME_BYTES, LimitError, Limits};
use crate::proto;
use crate::proto::v1::ex_ex_server::ExExServer;
use crate::remote::{RemoteChain, RemoteExExServer, RemoteService};
use crate::service::{ExExService, Sessions};

const SERVICE: &str = "exex.v1.ExEx";
const REMOTE_SERVICE: &str = "exex.RemoteExEx";

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address; port 0 takes any free one.
    Tcp(SocketAddr),
    /// A unix socket. One left by a process that is gone is replaced.
    Unix(PathBuf),
}

impl std::str::FromStr for Listen {
    type Err = String;

    /// `host:port` with a numeric host, or `unix:/path`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(path) => Err(format!("expected unix: and an absolute path, got unix:{path}")),
            None => text
                .parse()
                .map(Self::Tcp)
                .map_err(|_| format!("expected an address like 127.0.0.1:50051 or unix:/path, got {text}")),
        }
    }
}

/// Certificate and key of the server, PEM.
#[derive(Clone)]
pub struct Tls {
    /// The server's certificate, and those between it and its authority.
    pub certificate: Vec<u8>,
    /// Its key.
    pub key: Vec<u8>,
    /// The authority that client certificates must come from; none: clients need none.
    pub client_ca: Option<Vec<u8>>,
}

/// How the server shows itself.
#[derive(Clone)]
pub struct ServerOptions {
    /// Where.
    pub listen: Listen,
    /// With TLS, or in the clear.
    pub tls: Option<Tls>,
    /// Who is let in. None: everybody.
    pub tokens: Tokens,
    /// gRPC reflection, v1 and v1alpha.
    pub reflection: bool,
}

impl ServerOptions {
    /// In the clear, for everybody: loopback or a unix socket.
    pub fn plain(listen: Listen) -> Self {
        Self { listen, tls: None, tokens: Tokens::default(), reflection: false }
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A limit is not what it may be.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The node did not say where its chain is.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// What was asked for.
        listen: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Certificate or key are not what they should be.
    #[error("TLS: {0}")]
    Tls(String),
    /// The contract's own description cannot be served.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// A running server. `close` ends it with a word to its clients; dropping it, without.
pub struct Shim {
    hub: Arc<Hub>,
    sessions: Arc<Sessions>,
    local: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    /// None once it is closed.
    serving: Mutex<Option<tokio::task::JoinHandle<()>>>,
    background: Vec<tokio::task::JoinHandle<()>>,
}

/// The heights the node may forget up to, as they come: `min(durable of all durable consumers, finalized)`.
pub type FinishedHeights = mpsc::UnboundedReceiver<BlockRef>;

impl Shim {
    /// Begins to serve the node's chain from where it is now. Hand it every notification from here on by [`Shim::notify`], and
    /// the node every height that comes. Needs a tokio runtime.
    pub async fn start(
        reader: Arc<dyn ChainReader>,
        limits: Limits,
        options: ServerOptions,
    ) -> Result<(Self, FinishedHeights), StartError> {
        limits.check()?;
        let (finished, heights) = mpsc::unbounded_channel();
        let first = Arc::clone(&reader);
        let hub = tokio::task::spawn_blocking(move || Hub::new(first, limits, finished))
            .await
            .map_err(|error| ReadError::Failed(error.to_string()))??;
        let hub = Arc::new(hub);
        let sessions = Arc::new(Sessions::default());
        let (stop, stopped) = watch::channel(false);
        let (router, health) = router(&hub, &sessions, &options)?;
        // Before anybody can ask: a service without a status is one nobody has heard of.
        show_health(&hub, &health).await;
        let (serving, local) = serve(router, &options.listen, stopped)?;
        let background = vec![
            tokio::spawn(Arc::clone(&hub).tell_heights()),
            tokio::spawn(Arc::clone(&hub).watch()),
            tokio::spawn(keep_health(Arc::clone(&hub), health)),
        ];
        info!(listen = ?options.listen, local = ?local, chain_id = hub.chain_id, "serving the chain");
        let serving = Mutex::new(Some(serving));
        Ok((Self { hub, sessions, local, stop, serving, background }, heights))
    }

    /// The address listened on; none on a unix socket.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.local
    }

    /// Takes what the node notifies, in order. It returns at once, whatever the consumers do.
    pub fn notify(&self, notification: ChainNotification) {
        self.hub.notify(notification);
    }

    /// Whether anybody listens to the official service: only then is [`Shim::notify_remote`] worth its arguments.
    pub fn has_remote_subscribers(&self) -> bool {
        self.hub.remote.any()
    }

    /// Takes a notification for the official service, after [`Shim::notify`] took it, and encodes it if anybody listens:
    /// committed (no `old`), reverted (no `new`), reorged (both). Encoding takes the caller's time; no subscriber does.
    pub fn notify_remote(&self, old: Option<RemoteChain<'_>>, new: Option<RemoteChain<'_>>) {
        self.hub.remote.notify(old.as_ref(), new.as_ref());
    }

    /// The node's feed said something that cannot be used: the chain is read from the node.
    pub fn feed_broken(&self, reason: &str) {
        self.hub.feed_broken(reason);
    }

    /// The node's feed is over; its chain is followed by reading from here on.
    pub fn feed_ended(&self) {
        self.hub.feed_ended();
    }

    /// The newest block told of.
    pub fn head(&self) -> BlockRef {
        self.hub.state().head()
    }

    /// Says goodbye to every session and subscriber and ends them. Returns once the server is closed, also where another call
    /// closes it.
    pub async fn close(&self) {
        let mut serving = self.serving.lock().await;
        let Some(mut task) = serving.take() else { return };
        self.sessions.going_away();
        self.hub.remote.going_away();
        let _ = self.stop.send(true);
        let patience = self.hub.limits.close_timeout + Duration::from_millis(500);
        if tokio::time::timeout(patience, &mut task).await.is_err() {
            task.abort();
        }
        for task in &self.background {
            task.abort();
        }
    }
}

fn router(
    hub: &Arc<Hub>,
    sessions: &Arc<Sessions>,
    options: &ServerOptions,
) -> Result<(Router, HealthReporter), StartError> {
    let limits = &hub.limits;
    let mut server = Server::builder()
        .http2_keepalive_interval(Some(limits.ping))
        .http2_keepalive_timeout(Some(limits.ping_timeout));
    if let Some(tls) = &options.tls {
        let mut config = ServerTlsConfig::new().identity(Identity::from_pem(&tls.certificate, &tls.key));
        if let Some(authority) = &tls.client_ca {
            config = config.client_ca_root(Certificate::from_pem(authority));
        }
        server = server.tls_config(config).map_err(|error| StartError::Tls(error.to_string()))?;
    }
    let (health, health_service) = tonic_health::server::health_reporter();
    let service =
        ExExService { hub: Arc::clone(hub), tokens: options.tokens.clone(), sessions: Arc::clone(sessions) };
    let remote = RemoteService { subscribers: Arc::clone(&hub.remote), tokens: options.tokens.clone() };
    let mut router = server
        .add_service(health_service)
        .add_service(RemoteExExServer::new(remote))
        .add_service(ExExServer::new(service).max_decoding_message_size(CLIENT_FRAME_BYTES));
    if options.reflection {
        let builder = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        router = router.add_service(builder().build_v1()?).add_service(builder().build_v1alpha()?);
    }
    Ok((router, health))
}

type Serving = (tokio::task::JoinHandle<()>, Option<SocketAddr>);

fn serve(router: Router, listen: &Listen, mut stopped: watch::Receiver<bool>) -> Result<Serving, StartError> {
    let failed = |source| StartError::Listen { listen: format!("{listen:?}"), source };
    let stop = async move {
        // Without a sender there is nobody left to stop it: the process is ending.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let report = |result: Result<(), tonic::transport::Error>| {
        if let Err(error) = result {
            tracing::error!(%error, "server ended");
        }
    };
    match listen {
        Listen::Tcp(address) => {
            // Its own setting: the server's is not looked at where the listener comes from outside.
            let incoming = TcpIncoming::bind(*address).map_err(failed)?.with_nodelay(Some(true));
            let local = incoming.local_addr().map_err(failed)?;
            let serving = router.serve_with_incoming_shutdown(incoming, stop);
            Ok((tokio::spawn(async move { report(serving.await) }), Some(local)))
        }
        Listen::Unix(path) => {
            // Left by a process that is gone: one that listens would answer.
            if std::os::unix::net::UnixStream::connect(path).is_err() && path.exists() {
                std::fs::remove_file(path).map_err(failed)?;
            }
            let incoming = UnixListenerStream::new(UnixListener::bind(path).map_err(failed)?);
            let serving = router.serve_with_incoming_shutdown(incoming, stop);
            let path = path.clone();
            let task = tokio::spawn(async move {
                report(serving.await);
                let _ = std::fs::remove_file(path);
            });
            Ok((task, None))
        }
    }
}

async fn keep_health(hub: Arc<Hub>, health: HealthReporter) {
    let mut turn = tokio::time::interval(hub.limits.heartbeat);
    loop {
        turn.tick().await;
        show_health(&hub, &health).await;
    }
}

async fn show_health(hub: &Hub, health: &HealthReporter) {
    let is_well = hub.state().problem.is_none();
    // The official service has the node's notifications and nothing else.
    let services = [("", is_well), (SERVICE, is_well), (REMOTE_SERVICE, is_well && hub.is_fed())];
    for (service, serves) in services {
        let status = if serves { ServingStatus::Serving } else { ServingStatus::NotServing };
        health.set_service_status(service, status).await;
    }
}
