//! A server over a scripted chain and a client that speaks frame by frame.

// Shared: no one of its users needs all of it.
#![allow(dead_code)]

pub mod scripted_chain;

use std::sync::Arc;
use std::time::Duration;

use monmouth_exex_shim::proto::v1::client_frame::Frame as ClientFrame;
use monmouth_exex_shim::proto::v1::ex_ex_client::ExExClient;
use monmouth_exex_shim::proto::v1::server_frame::Frame;
use monmouth_exex_shim::proto::v1::{self, Hello};
use monmouth_exex_shim::{BlockRef, FinishedHeights, Limits, Listen, ServerOptions, Shim, Tokens};
use scripted_chain::ScriptedChain;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

/// Short times, so that what they bound happens within a test.
pub fn limits() -> Limits {
    Limits {
        heartbeat: Duration::from_millis(20),
        read_retry: Duration::from_millis(5),
        watch: Duration::from_millis(20),
        close_timeout: Duration::from_millis(200),
        ..Limits::default()
    }
}

/// A server, its chain, and the heights it told the node.
pub struct Served {
    pub chain: Arc<ScriptedChain>,
    pub shim: Shim,
    pub heights: FinishedHeights,
}

impl Served {
    pub async fn start(limits: Limits) -> Self {
        Self::over(Arc::new(ScriptedChain::new(0)), limits, "").await
    }

    pub async fn over(chain: Arc<ScriptedChain>, limits: Limits, tokens: &str) -> Self {
        let listen: Listen = "127.0.0.1:0".parse().expect("an address");
        let tokens = if tokens.is_empty() { Tokens::default() } else { Tokens::parse(tokens) };
        let options = ServerOptions { tokens, ..ServerOptions::plain(listen) };
        let (shim, heights) = Shim::start(chain.clone(), limits, options).await.expect("starts");
        Self { chain, shim, heights }
    }

    /// Replaces the last `depth` blocks by `count` new ones, as the node would tell it.
    pub fn change(&self, depth: usize, count: usize) {
        self.chain.notify(&self.shim, self.chain.change(depth, count));
    }

    pub async fn channel(&self) -> Channel {
        let address = self.shim.local_address().expect("listens on TCP");
        Endpoint::from_shared(format!("http://{address}")).expect("a URL").connect().await.expect("connects")
    }

    pub async fn client(&self) -> ExExClient<Channel> {
        ExExClient::new(self.channel().await)
    }

    pub async fn session(&self) -> Session {
        Session::open(self.client().await, None).await.expect("is let in")
    }

    /// The next height told, within a second.
    pub async fn height(&mut self) -> BlockRef {
        within(self.heights.recv()).await.expect("the server lives")
    }
}

/// One stream, frame by frame.
pub struct Session {
    pub outgoing: mpsc::Sender<v1::ClientFrame>,
    incoming: Streaming<v1::ServerFrame>,
}

impl Session {
    pub async fn open(mut client: ExExClient<Channel>, token: Option<&str>) -> Result<Self, Status> {
        let (outgoing, frames) = mpsc::channel(16);
        let mut request = Request::new(ReceiverStream::new(frames));
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().expect("ASCII");
            request.metadata_mut().insert("authorization", value);
        }
        let incoming = client.session(request).await?.into_inner();
        Ok(Self { outgoing, incoming })
    }

    pub async fn say(&self, frame: ClientFrame) {
        self.outgoing.send(v1::ClientFrame { frame: Some(frame) }).await.expect("the stream is open");
    }

    /// Says Hello as a durable consumer and returns the Welcome.
    pub async fn hello(&mut self, hello: Hello) -> v1::Welcome {
        self.say(ClientFrame::Hello(hello)).await;
        match self.frame().await {
            Ok(Frame::Welcome(welcome)) => welcome,
            other => panic!("expected a welcome, got {other:?}"),
        }
    }

    /// The next frame, within a second; the status when there is none.
    pub async fn frame(&mut self) -> Result<Frame, Status> {
        let message = within(self.incoming.message()).await?;
        let message = message.ok_or_else(|| Status::ok("the stream ended"))?;
        Ok(message.frame.expect("a frame of the contract"))
    }

    /// The next frame that `pick` takes; others are passed over.
    pub async fn until<T>(&mut self, pick: impl Fn(Frame) -> Option<T>) -> T {
        loop {
            let frame = self.frame().await.expect("the stream goes on");
            if let Some(found) = pick(frame) {
                return found;
            }
        }
    }

    /// The error it ends with, and the status after it.
    pub async fn end(&mut self) -> (v1::Error, Status) {
        let error =
            self.until(|frame| if let Frame::Error(error) = frame { Some(error) } else { None }).await;
        let status = self.frame().await.expect_err("nothing comes after an error");
        (error, status)
    }
}

/// What a durable consumer says that holds nothing yet.
pub fn hello(consumer_id: &str) -> Hello {
    Hello { protocol_min: 1, protocol_max: 1, consumer_id: consumer_id.to_owned(), ..Hello::default() }
}

pub fn wire(block: BlockRef) -> v1::BlockRef {
    v1::BlockRef { number: block.number, hash: block.hash.to_vec().into() }
}

/// Much: these tests run beside others. What does not come at all fails.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("comes in time")
}
