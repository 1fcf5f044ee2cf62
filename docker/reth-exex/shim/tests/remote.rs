//! The official service over real connections.

mod common;

use std::sync::Arc;

use common::scripted_chain::ScriptedChain;
use common::{Served, limits, within};
use monmouth_exex_shim::proto::remote::ex_ex_notification::Notification;
use monmouth_exex_shim::proto::remote::remote_ex_ex_client::RemoteExExClient;
use monmouth_exex_shim::proto::remote::{self, ExExNotification, SubscribeRequest};
use monmouth_exex_shim::{BlockRef, ChainNotification, Limits, ServerOptions, Shim};
use prost::Message;
use tonic::{Code, Request, Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServiceResponse};

/// One subscription, message by message.
struct Subscriber(Streaming<ExExNotification>);

impl Subscriber {
    async fn open(served: &Served, token: Option<&str>) -> Result<Self, Status> {
        let client = RemoteExExClient::new(served.channel().await);
        let mut request = Request::new(SubscribeRequest {});
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
        }
        let mut client = client.max_decoding_message_size(usize::MAX);
        Ok(Self(client.subscribe(request).await?.into_inner()))
    }

    async fn of(served: &Served) -> Self {
        Self::open(served, None).await.expect("is let in")
    }

    async fn next(&mut self) -> Result<Notification, Status> {
        let message = within(self.0.message()).await?.ok_or_else(|| Status::ok("the stream ended"))?;
        Ok(message.notification.expect("one of the three"))
    }

    /// What it ends with; notifications before it are passed over.
    async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.next().await {
                return status;
            }
        }
    }
}

fn refs(chain: Option<remote::Chain>) -> Vec<BlockRef> {
    let of = |block: remote::Block| {
        let sealed = block.header.expect("a header");
        let number = sealed.header.expect("a header").number;
        BlockRef::new(number, sealed.hash[..].try_into().expect("32 bytes"))
    };
    chain.expect("a chain").blocks.into_iter().map(of).collect()
}

fn undone_and_added(notification: Notification) -> (Vec<BlockRef>, Vec<BlockRef>) {
    match notification {
        Notification::ChainCommitted(committed) => (vec![], refs(committed.new)),
        Notification::ChainReorged(reorged) => (refs(reorged.old), refs(reorged.new)),
        Notification::ChainReverted(reverted) => (refs(reverted.old), vec![]),
    }
}

#[tokio::test]
async fn a_subscriber_is_sent_what_the_node_notifies_of_from_then_on() {
    let served = Served::start(limits()).await;
    served.change(0, 2);
    assert!(!served.shim.has_remote_subscribers());
    let mut subscriber = Subscriber::of(&served).await;
    assert!(served.shim.has_remote_subscribers());
    served.change(0, 3);
    let before = served.chain.canonical();
    assert_eq!(undone_and_added(subscriber.next().await.expect("a commit")), (vec![], before[3..].to_vec()));
    served.change(2, 4);
    let after = served.chain.canonical();
    let reorg = subscriber.next().await.expect("a reorg");
    assert!(matches!(reorg, Notification::ChainReorged(_)));
    assert_eq!(undone_and_added(reorg), (before[4..].to_vec(), after[4..].to_vec()));
    served.change(1, 0);
    let revert = subscriber.next().await.expect("a revert");
    assert!(matches!(revert, Notification::ChainReverted(_)));
    assert_eq!(undone_and_added(revert), (vec![after[7]], vec![]));
    drop(subscriber);
    within(async {
        while served.shim.has_remote_subscribers() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn all_subscribers_are_sent_the_same_bytes() {
    let served = Served::start(limits()).await;
    let mut subscribers = Vec::new();
    for _ in 0..3 {
        subscribers.push(Subscriber::of(&served).await);
    }
    served.change(0, 2);
    let mut seen = Vec::new();
    for subscriber in &mut subscribers {
        let notification = Some(subscriber.next().await.expect("a commit"));
        seen.push(ExExNotification { notification }.encode_to_vec());
    }
    assert!(seen.iter().all(|bytes| *bytes == seen[0]));
}

#[tokio::test]
async fn one_who_is_too_slow_is_cut_off_with_figures_and_others_are_not() {
    // A connection itself holds two megabytes, which eight of these fill.
    let chain = Arc::new(ScriptedChain::new(1 << 18));
    let bounds = [
        Limits { remote_queue_bytes: 1 << 20, ..limits() },
        Limits { remote_queue_notifications: 4, ..limits() },
    ];
    for limits in bounds {
        let served = Served::over(chain.clone(), limits, "").await;
        let (mut slow, mut quick) = (Subscriber::of(&served).await, Subscriber::of(&served).await);
        for _ in 0..18 {
            served.change(0, 1);
            undone_and_added(quick.next().await.expect("a commit"));
        }
        let status = slow.end().await;
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(status.message().contains("at most"), "{}", status.message());
        assert!(served.shim.has_remote_subscribers());
        served.change(0, 1);
        undone_and_added(quick.next().await.expect("goes on"));
    }
}

#[tokio::test]
async fn a_notification_larger_than_the_queue_passes_alone() {
    let chain = Arc::new(ScriptedChain::new(1000));
    let served = Served::over(chain, Limits { remote_queue_bytes: 1, ..limits() }, "").await;
    let mut subscriber = Subscriber::of(&served).await;
    served.change(0, 3);
    let (_, added) = undone_and_added(subscriber.next().await.expect("a commit"));
    assert_eq!(added.len(), 3);
}

async fn ends_with_data_loss(served: &Served, hole: impl AsyncFnOnce(&Served)) {
    // What was missed before is read by now.
    within(async {
        while served.chain.canonical().last() != Some(&served.shim.head()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut subscriber = Subscriber::of(served).await;
    served.change(0, 1);
    subscriber.next().await.expect("a commit");
    hole(served).await;
    let status = subscriber.end().await;
    assert_eq!(status.code(), Code::DataLoss, "{status}");
    assert!(status.message().contains("subscribe again"), "{}", status.message());
}

#[tokio::test]
async fn a_hole_in_the_notifications_ends_every_subscription() {
    let quick = Limits { watch_patience: std::time::Duration::from_millis(50), ..limits() };
    let served = Served::start(quick).await;
    // The next does not follow.
    ends_with_data_loss(&served, async |served| {
        served.chain.change(0, 1);
        served.change(0, 1);
    })
    .await;
    ends_with_data_loss(&served, async |served| served.shim.feed_broken("told to")).await;
    // In silence: the watchdog finds it.
    ends_with_data_loss(&served, async |served| drop(served.chain.change(1, 2))).await;
    ends_with_data_loss(&served, async |served| served.shim.feed_ended()).await;
    // Nothing comes any more.
    let refused = Subscriber::open(&served, None).await.map(|_| ()).expect_err("is refused");
    assert_eq!(refused.code(), Code::Unavailable);
}

#[tokio::test]
async fn what_does_not_follow_what_was_sent_is_not_sent() {
    let served = Served::start(limits()).await;
    ends_with_data_loss(&served, async |served| {
        // What the chain as told takes for granted, a subscriber does not know: an undo the node forgot.
        let ChainNotification { blocks, .. } = served.chain.change(1, 2);
        served.chain.notify(&served.shim, ChainNotification { undo: vec![], blocks });
    })
    .await;
    ends_with_data_loss(&served, async |served| {
        let again = served.chain.change(0, 1);
        served.chain.notify(&served.shim, again.clone());
        served.chain.notify(&served.shim, again);
    })
    .await;
}

#[tokio::test]
async fn tokens_are_asked_for() {
    let served = Served::over(Arc::new(ScriptedChain::new(0)), limits(), "owl:secret\n").await;
    for token in [None, Some("wrong")] {
        let refused = Subscriber::open(&served, token).await.map(|_| ()).expect_err("is refused");
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
    let mut subscriber = Subscriber::open(&served, Some("secret")).await.expect("is let in");
    served.change(0, 1);
    subscriber.next().await.expect("a commit");
}

#[tokio::test]
async fn no_more_subscribers_than_sessions_are_let_in() {
    let served = Served::start(Limits { max_sessions: 1, ..limits() }).await;
    let _one = Subscriber::of(&served).await;
    let refused = Subscriber::open(&served, None).await.map(|_| ()).expect_err("is one too many");
    assert_eq!(refused.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_server_that_closes_says_so_after_what_it_has_to_say() {
    let served = Served::start(limits()).await;
    let mut subscriber = Subscriber::of(&served).await;
    served.change(0, 1);
    let told = async {
        subscriber.next().await.expect("a commit");
        subscriber.next().await.expect_err("is closed")
    };
    let ((), status) = tokio::join!(served.shim.close(), told);
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().starts_with("GOING_AWAY: "), "{}", status.message());
}

#[tokio::test]
async fn reflection_and_health_know_it() {
    let chain = Arc::new(ScriptedChain::new(0));
    let options = ServerOptions {
        reflection: true,
        ..ServerOptions::plain("127.0.0.1:0".parse().expect("an address"))
    };
    let (shim, heights) = Shim::start(chain.clone(), limits(), options).await.expect("starts");
    let served = Served { chain, shim, heights };

    let mut reflection = ServerReflectionClient::new(served.channel().await);
    let asked = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answers = reflection.server_reflection_info(tokio_stream::once(asked)).await.expect("answers");
    let answer = answers.into_inner().message().await.expect("answers").expect("one").message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("not a list: {answer:?}") };
    assert!(list.service.contains(&ServiceResponse { name: "exex.RemoteExEx".to_owned() }));

    let mut health = HealthClient::new(served.channel().await);
    let mut status = async || {
        let service = "exex.RemoteExEx".to_owned();
        health.check(HealthCheckRequest { service }).await.map(|answer| answer.into_inner().status)
    };
    // 1: serving; 2: not.
    within(async { while !matches!(status().await, Ok(1)) {} }).await;
    served.shim.feed_ended();
    within(async { while !matches!(status().await, Ok(2)) {} }).await;
}
