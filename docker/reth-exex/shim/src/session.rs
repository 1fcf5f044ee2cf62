//! One consumer's stream, from its Hello to the end: a reader of its frames, and a writer that sends while there is something
//! to send and credit for it. The two meet in `Shared`, behind a lock that is never held over a wait.

mod receive;
mod send;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, mpsc};
use tonic::{Status, Streaming};
use tracing::debug;

use crate::auth::Caller;
use crate::consumers::ConsumerSession;
use crate::cursor::ChainCursor;
use crate::error::{ErrorCode, ExExError};
use crate::hello::Hello;
use crate::hub::{Hub, State};
use crate::metrics;
use crate::proto::v1;
use crate::proto::v1::server_frame::Frame;

/// Name and version, for logs.
pub(crate) const SERVER_NAME: &str = concat!("monmouth-exex-shim/", env!("CARGO_PKG_VERSION"));

/// Why a session ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// The client said so, or its connection is gone.
    Quiet(&'static str),
    /// The server says why.
    Failed(ExExError),
}

/// What reader and writer share.
#[derive(Default)]
struct Inner {
    hello: Option<Hello>,
    cursor: Option<ChainCursor>,
    credit_bytes: i128,
    credit_notifications: u64,
    /// Small frames that may go between others.
    control: VecDeque<Frame>,
    /// An acknowledgement was taken and not yet answered: one answer is enough for several.
    acknowledged: bool,
    /// A heartbeat is due; with a nonce it must be answered.
    heartbeat: Option<u64>,
    ping: Option<Ping>,
    sent_since_tick: bool,
    /// seq of the last notification handed over whole.
    last_seq: u64,
    end: Option<End>,
}

struct Ping {
    nonce: u64,
    since: Instant,
}

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    /// Something for the writer.
    work: Notify,
    /// The session is over.
    over: Notify,
}

impl Shared {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, end: End) {
        let mut inner = self.inner();
        if inner.end.is_some() {
            return;
        }
        inner.end = Some(end);
        drop(inner);
        self.work.notify_one();
        self.over.notify_waiters();
        self.over.notify_one();
    }

    fn directive(&self, kind: v1::DirectiveKind, message: impl Into<String>) {
        let directive = v1::Directive { kind: kind.into(), message: message.into() };
        self.inner().control.push_back(Frame::Directive(directive));
        self.work.notify_one();
    }
}

impl ConsumerSession for Shared {
    fn fence(&self) {
        self.directive(v1::DirectiveKind::Fenced, "a newer session of this consumer took over");
        let error = ExExError::new(ErrorCode::Fenced, "session", "to be the newest", "a newer one came");
        self.end(End::Failed(error));
    }

    fn evicted(&self, message: String) {
        self.directive(v1::DirectiveKind::Evicted, message);
    }
}

/// A session's handle, for the server that is going away.
#[derive(Clone)]
pub(crate) struct SessionHandle(Arc<Shared>);

impl SessionHandle {
    pub(crate) fn going_away(&self) {
        self.0.directive(v1::DirectiveKind::GoingAway, "the server is shutting down");
        let error = ExExError::new(ErrorCode::GoingAway, "session", "a running server", "one shutting down");
        self.0.end(End::Failed(error));
    }
}

/// What goes to the client: frames, then the status it ends with.
pub(crate) type Message = Result<v1::ServerFrame, Status>;
pub(crate) type Outgoing = mpsc::Sender<Message>;

/// Serves one stream in tasks of its own.
pub(crate) fn spawn_session(
    hub: Arc<Hub>,
    caller: Caller,
    incoming: Streaming<v1::ClientFrame>,
    outgoing: Outgoing,
) -> (SessionHandle, tokio::task::JoinHandle<()>) {
    let shared = Arc::new(Shared::default());
    let handle = SessionHandle(Arc::clone(&shared));
    metrics::session_opened();
    let session = Session { hub, shared };
    let task = tokio::spawn(async move {
        let reader = session.clone();
        let reading = tokio::spawn(async move { reader.read(caller, incoming).await });
        session.write(outgoing).await;
        reading.abort();
        // Only then is nobody half-way through a Hello.
        let _ = reading.await;
        session.close();
    });
    (handle, task)
}

#[derive(Clone)]
struct Session {
    hub: Arc<Hub>,
    shared: Arc<Shared>,
}

impl Session {
    fn close(&self) {
        let inner = self.shared.inner();
        let id = inner.hello.as_ref().map(|hello| hello.consumer_id.clone());
        let reason = match &inner.end {
            Some(End::Failed(error)) => error.code.name(),
            Some(End::Quiet(reason)) => reason,
            None => "gone",
        };
        drop(inner);
        if let Some(id) = id {
            let session: Arc<dyn ConsumerSession> = self.shared.clone();
            self.hub.state().consumers.detach(&id, &session);
            debug!(consumer = id, reason, "session ended");
        }
        metrics::session_closed(reason);
    }

    /// Whether this is the consumer's session still: a newer one may have taken over.
    fn is_current(&self, state: &State, id: &str) -> bool {
        let current = state.consumers.get(id).and_then(|consumer| consumer.session.as_ref());
        current.is_some_and(|session| std::ptr::addr_eq(Arc::as_ptr(session), Arc::as_ptr(&self.shared)))
    }
}
