//! The server's part of the failure table, over real connections. What both servers of `exex.v1` have in common is tested by
//! the conformance suite in `test/integration/exex`.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::scripted_chain::ScriptedChain;
use common::{Served, Session, hello, limits, wire, within};
use monmouth_exex_shim::proto::v1::client_frame::Frame as ClientFrame;
use monmouth_exex_shim::proto::v1::server_frame::Frame;
use monmouth_exex_shim::proto::v1::{
    self, Ack, AcknowledgeRequest, Credit, DropConsumerRequest, Hello, ListConsumersRequest,
};
use monmouth_exex_shim::{Limits, ServerOptions, Shim, StartError};
use tonic::Code;

#[tokio::test]
async fn a_restart_tells_the_durable_height_again_and_has_another_epoch() {
    let chain = Arc::new(ScriptedChain::new(0));
    chain.change(0, 8);
    chain.finalize(6);
    let five = chain.canonical()[5];
    let mut epochs = Vec::new();
    for _ in 0..2 {
        let mut served = Served::over(chain.clone(), limits(), "").await;
        let mut session = served.session().await;
        let asked = Hello { locator: vec![wire(five)], durable: Some(wire(five)), ..hello("sidecar") };
        epochs.push(session.hello(asked).await.epoch);
        assert_eq!(served.height().await, five);
        served.shim.close().await;
    }
    assert_ne!(epochs[0], epochs[1]);
}

#[tokio::test]
async fn finished_height_waits_for_the_slowest_and_never_passes_finalized() {
    let mut served = Served::start(limits()).await;
    served.change(0, 9);
    let chain = served.chain.canonical();
    let mut sessions = Vec::new();
    for id in ["fast", "slow"] {
        let mut session = served.session().await;
        session.hello(hello(id)).await;
        session.say(ClientFrame::Credit(Credit { bytes: 1 << 20, notifications: 9 })).await;
        session.until(|frame| matches!(frame, Frame::End(_)).then_some(())).await;
        sessions.push(session);
    }
    let acknowledge = |number: usize| {
        let block = Some(wire(chain[number]));
        ClientFrame::Ack(Ack { processed: block.clone(), durable: block })
    };
    served.chain.finalize(5);
    sessions[0].say(acknowledge(9)).await;
    sessions[1].say(acknowledge(3)).await;
    assert_eq!(served.height().await, chain[3]);
    sessions[1].say(acknowledge(8)).await;
    assert_eq!(served.height().await, chain[5]);
    served.chain.finalize(7);
    assert_eq!(served.height().await, chain[7]);
}

#[tokio::test]
async fn a_consumer_without_progress_is_evicted_and_no_longer_waited_for() {
    let mut served = Served::start(Limits { evict_after_blocks: 4, ..limits() }).await;
    served.change(0, 2);
    served.chain.finalize(2);
    let mut stuck = served.session().await;
    stuck.hello(hello("stuck")).await;
    for _ in 0..6 {
        served.change(0, 1);
    }
    let directive = stuck
        .until(|frame| if let Frame::Directive(directive) = frame { Some(directive) } else { None })
        .await;
    assert_eq!(directive.kind(), v1::DirectiveKind::Evicted);
    assert_eq!(served.height().await, served.chain.canonical()[2]);
    let mut client = served.client().await;
    let consumers = client.list_consumers(ListConsumersRequest {}).await.expect("answers").into_inner();
    assert!(consumers.consumers[0].evicted && consumers.consumers[0].connected);
    let dropped = client.drop_consumer(DropConsumerRequest { consumer_id: "stuck".to_owned() }).await;
    assert!(dropped.expect("answers").into_inner().dropped);
    assert_eq!(stuck.end().await.0.code, "FENCED");
}

#[tokio::test]
async fn history_that_is_gone_is_said_so_with_the_oldest_block() {
    let served = Served::start(limits()).await;
    served.change(0, 9);
    served.chain.prune(5);
    let mut session = served.session().await;
    session.say(ClientFrame::Hello(Hello { start: Some(2), ..hello("late") })).await;
    let (error, status) = session.end().await;
    assert_eq!((error.code.as_str(), status.code()), ("HISTORY_PRUNED", Code::OutOfRange));
    assert!(error.expected.contains("at or above 5"), "{}", error.expected);
    let mut session = served.session().await;
    session.say(ClientFrame::Hello(Hello { start: Some(5), ..hello("early-enough") })).await;
    let ancestor =
        session.until(|frame| if let Frame::Welcome(it) = frame { it.ancestor } else { None }).await;
    assert_eq!(ancestor.number, 4);
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_asked_again_and_the_consumer_stays() {
    let served = Served::start(Limits { ring_blocks: 2, ..limits() }).await;
    served.change(0, 9);
    served.chain.fail_reads(3);
    let mut session = served.session().await;
    session.hello(hello("patient")).await;
    session.say(ClientFrame::Credit(Credit { bytes: 1 << 20, notifications: 9 })).await;
    let end = session.until(|frame| if let Frame::End(end) = frame { Some(end) } else { None }).await;
    assert_eq!(end.block_count, 9);
}

#[tokio::test]
async fn silence_ends_a_session() {
    let served = Served::start(Limits {
        ping: Duration::from_millis(30),
        ping_timeout: Duration::from_millis(150),
        ..limits()
    })
    .await;
    let mut speechless = served.session().await;
    assert_eq!(speechless.end().await.0.code, "SILENCE");
    let mut session = served.session().await;
    session.hello(hello("deaf")).await;
    let (error, status) = session.end().await;
    assert_eq!((error.code.as_str(), status.code()), ("SILENCE", Code::DeadlineExceeded));
}

#[tokio::test]
async fn a_frame_larger_than_any_of_a_client_is_refused() {
    let served = Served::start(limits()).await;
    let mut session = served.session().await;
    session.say(ClientFrame::Bye(v1::Bye { reason: "x".repeat(300_000) })).await;
    let (error, status) = session.end().await;
    assert_eq!((error.code.as_str(), status.code()), ("MALFORMED", Code::InvalidArgument));
}

#[tokio::test]
async fn what_is_no_frame_of_the_contract_ends_the_session_alone() {
    let mut served = Served::start(limits()).await;
    served.change(0, 2);
    let bad = [
        v1::ClientFrame { frame: None },
        v1::ClientFrame { frame: Some(ClientFrame::Credit(Credit { bytes: 1, notifications: 1 })) },
        v1::ClientFrame {
            frame: Some(ClientFrame::Hello(Hello {
                locator: vec![v1::BlockRef { number: 1, hash: vec![1; 31].into() }],
                ..hello("short")
            })),
        },
        v1::ClientFrame { frame: Some(ClientFrame::Hello(Hello { mode: 77, ..hello("mode") })) },
    ];
    for frame in bad {
        let mut session = served.session().await;
        session.outgoing.send(frame).await.expect("the stream is open");
        let (error, status) = session.end().await;
        assert_eq!((error.code.as_str(), status.code()), ("MALFORMED", Code::InvalidArgument));
    }
    let mut session = served.session().await;
    session.hello(hello("fine")).await;
    served.chain.finalize(1);
    let block = Some(wire(served.chain.canonical()[0]));
    session.say(ClientFrame::Ack(Ack { processed: block.clone(), durable: block })).await;
    assert_eq!(served.height().await.number, 0);
}

#[tokio::test]
async fn tokens_are_asked_for_and_bound_to_their_consumer() {
    let served = Served::over(Arc::new(ScriptedChain::new(0)), limits(), "# all\nmaster\nowl:secret\n").await;
    for token in [None, Some("wrong"), Some("owl:secret")] {
        let refused = Session::open(served.client().await, token).await.map(|_| ()).expect_err("is refused");
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
    let mut owl = Session::open(served.client().await, Some("secret")).await.expect("is let in");
    owl.say(ClientFrame::Hello(hello("cat"))).await;
    assert_eq!(owl.end().await.0.code, "FORBIDDEN");
    for (token, id) in [("secret", "owl"), ("master", "cat")] {
        let mut session = Session::open(served.client().await, Some(token)).await.expect("is let in");
        session.hello(hello(id)).await;
    }
    let info = served.client().await.get_info(v1::GetInfoRequest {}).await.expect_err("is refused");
    assert_eq!(info.code(), Code::Unauthenticated);
    // A file of tokens that names none is no open door.
    let closed = Served::over(Arc::new(ScriptedChain::new(0)), limits(), "# none yet\n").await;
    let refused =
        Session::open(closed.client().await, Some("any")).await.map(|_| ()).expect_err("is refused");
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_tool_acknowledges_for_a_consumer_without_a_session() {
    let mut served = Served::start(limits()).await;
    served.change(0, 4);
    served.chain.finalize(3);
    let block = Some(wire(served.chain.canonical()[2]));
    let asked = |id: &str| AcknowledgeRequest {
        consumer_id: id.to_owned(),
        ack: Some(Ack { processed: block.clone(), durable: block.clone() }),
    };
    let mut client = served.client().await;
    let unknown = client.acknowledge(asked("nobody")).await.expect_err("is not known");
    assert_eq!(unknown.code(), Code::InvalidArgument);
    let mut session = served.session().await;
    session.hello(hello("away")).await;
    let open = client.acknowledge(asked("away")).await.expect_err("has a session");
    assert_eq!(open.code(), Code::Aborted);
    drop(session);
    // The server learns of the hang-up in its own time.
    let answer = loop {
        match client.acknowledge(asked("away")).await {
            Err(status) if status.code() == Code::Aborted => tokio::task::yield_now().await,
            answer => break answer,
        }
    };
    let acknowledged = answer.expect("answers").into_inner().acknowledged.expect("says what it took");
    assert_eq!((&acknowledged.durable, &acknowledged.finished_height), (&block, &block));
    assert_eq!(served.height().await.number, 2);
}

#[tokio::test]
async fn a_server_that_closes_says_so() {
    let served = Served::start(limits()).await;
    let mut session = served.session().await;
    session.hello(hello("last")).await;
    let ((), (error, status)) = tokio::join!(served.shim.close(), session.end());
    assert_eq!((error.code.as_str(), status.code()), ("GOING_AWAY", Code::Unavailable));
    // Whoever else closes it has nothing left to do.
    served.shim.close().await;
}

fn credit(notifications: u32) -> ClientFrame {
    ClientFrame::Credit(Credit { bytes: 1 << 30, notifications })
}

async fn until_read_waits(chain: &ScriptedChain) {
    within(async {
        while !chain.is_reading() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn heartbeats_and_answers_go_on_while_the_node_is_read() {
    let served = Served::start(Limits { ring_blocks: 2, ..limits() }).await;
    served.change(0, 9);
    served.chain.hold_read(4);
    let mut session = served.session().await;
    session.hello(hello("waiting")).await;
    session.say(credit(9)).await;
    until_read_waits(&served.chain).await;
    let genesis = Some(wire(served.chain.canonical()[0]));
    session.say(ClientFrame::Ack(Ack { processed: genesis.clone(), durable: genesis })).await;
    session.until(|frame| matches!(frame, Frame::Acknowledged(_)).then_some(())).await;
    for _ in 0..3 {
        session.until(|frame| matches!(frame, Frame::Heartbeat(_)).then_some(())).await;
    }
    served.chain.release_read();
    let begin = session.until(|frame| if let Frame::Begin(begin) = frame { Some(begin) } else { None }).await;
    assert_eq!((begin.seq, begin.block_count), (1, 9));
    let end = session.until(|frame| if let Frame::End(end) = frame { Some(end) } else { None }).await;
    assert_eq!(end.cursor, served.chain.canonical().last().copied().map(wire));
}

/// A session with more to be sent than its connection holds, of a client that does not read.
async fn stuck_session(served: &Served) -> Session {
    let mut session = served.session().await;
    let asked = Hello { locator: vec![wire(served.chain.canonical()[2])], ..hello("twice") };
    session.hello(asked).await;
    session.say(credit(99)).await;
    // A connection itself holds two megabytes, which eight of these fill.
    served.change(0, 18);
    tokio::time::sleep(Duration::from_millis(100)).await;
    session
}

#[tokio::test]
async fn what_ends_a_session_is_said_after_all_to_one_that_begins_to_read() {
    let chain = Arc::new(ScriptedChain::new(1 << 18));
    chain.change(0, 2);
    let patient = Limits { close_timeout: Duration::from_secs(20), send_buffer_messages: 1, ..limits() };
    let served = Served::over(chain, patient, "").await;
    let mut stuck = stuck_session(&served).await;
    let mut newer = served.session().await;
    newer.hello(hello("twice")).await;
    let directive = stuck.until(|frame| match frame {
        Frame::Directive(directive) => Some(Some(directive)),
        Frame::Error(_) => Some(None),
        _ => None,
    });
    let directive = directive.await.expect("the directive comes before the error");
    assert_eq!(directive.kind(), v1::DirectiveKind::Fenced);
    assert_eq!(stuck.end().await.0.code, "FENCED");
}

#[tokio::test]
async fn an_acknowledgement_of_a_session_that_was_taken_over_changes_nothing() {
    let chain = Arc::new(ScriptedChain::new(1 << 18));
    chain.change(0, 2);
    // The old session lives on for as long as it waits for its client to read.
    let patient = Limits { close_timeout: Duration::from_secs(20), send_buffer_messages: 1, ..limits() };
    let served = Served::over(chain, patient, "").await;
    let stuck = stuck_session(&served).await;
    let chain = served.chain.canonical();
    // From before the session: the node is asked whether it is canonical.
    served.chain.hold_read(1);
    let one = Some(wire(chain[1]));
    stuck.say(ClientFrame::Ack(Ack { processed: one.clone(), durable: one })).await;
    until_read_waits(&served.chain).await;
    let mut newer = served.session().await;
    newer.hello(Hello { locator: vec![wire(chain[2])], ..hello("twice") }).await;
    served.chain.release_read();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let consumers = served.client().await.list_consumers(ListConsumersRequest {}).await.expect("answers");
    let consumer = &consumers.into_inner().consumers[0];
    assert_eq!((&consumer.processed, &consumer.durable), (&Some(wire(chain[2])), &None));
    drop(stuck);
}

#[tokio::test]
async fn the_head_is_never_told_below_where_a_consumer_is() {
    let served = Served::start(limits()).await;
    served.change(0, 2);
    // The node's head moves before it notifies.
    served.chain.change(0, 4);
    let chain = served.chain.canonical();
    let mut session = served.session().await;
    let welcome = session.hello(Hello { locator: vec![wire(chain[4])], ..hello("ahead") }).await;
    assert_eq!((welcome.ancestor, welcome.head), (Some(wire(chain[4])), Some(wire(chain[4]))));
    session.say(credit(9)).await;
    let begin = session.until(|frame| if let Frame::Begin(begin) = frame { Some(begin) } else { None }).await;
    assert_eq!((begin.block_count, begin.head), (2, Some(wire(chain[6]))));
}

#[tokio::test]
async fn an_undo_too_long_for_a_frame_is_left_to_the_locator() {
    let served = Served::start(limits()).await;
    served.change(0, 90);
    let chain = served.chain.canonical();
    let asked =
        Hello { max_frame_bytes: 4096, locator: vec![wire(chain[90]), wire(chain[0])], ..hello("short") };
    let mut session = served.session().await;
    session.hello(asked.clone()).await;
    session.say(credit(99)).await;
    served.change(81, 82);
    let begin = session.until(|frame| if let Frame::Begin(begin) = frame { Some(begin) } else { None }).await;
    assert_eq!(begin.undo.len(), 81);
    let message = v1::ServerFrame { frame: Some(Frame::Begin(begin)) };
    assert!(prost::Message::encoded_len(&message) <= 4096);
    served.change(82, 1);
    let (error, status) = session.end().await;
    assert_eq!((error.code.as_str(), status.code()), ("CHAIN_MOVED", Code::Aborted));
    assert!(error.expected.contains("at most 81 blocks"), "{}", error.expected);
    let welcome = served.session().await.hello(asked).await;
    assert_eq!(welcome.ancestor, Some(wire(chain[0])));
}

#[tokio::test]
async fn a_server_with_frames_that_are_too_small_does_not_start() {
    let chain = Arc::new(ScriptedChain::new(0));
    let options = ServerOptions::plain("127.0.0.1:0".parse().expect("an address"));
    let result = Shim::start(chain, Limits { max_frame_bytes: 100, ..limits() }, options).await;
    let Err(StartError::Limit(error)) = result.map(|_| ()) else { panic!("a limit is refused") };
    assert_eq!(error.to_string(), "limit max_frame_bytes: expected at least 4096, got 100");
}
