//! What the hub does with a node that is late, silent, or has forgotten.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::branch::read_branch;
use crate::chain::{BlockRef, ChainNotification};
use crate::consumers::ConsumerSession;
use crate::hub::Hub;
use crate::limits::{LimitError, Limits};
use crate::proto::v1;
use crate::scripted_chain::ScriptedChain;

struct NoSession;

impl ConsumerSession for NoSession {
    fn fence(&self) {}

    fn evicted(&self, _message: String) {}
}

fn hub_over(chain: &Arc<ScriptedChain>) -> (Arc<Hub>, mpsc::UnboundedReceiver<BlockRef>) {
    let (finished, heights) = mpsc::unbounded_channel();
    let hub = Hub::new(chain.clone(), Limits::default(), finished).expect("the chain can be read");
    (Arc::new(hub), heights)
}

#[test]
fn a_branch_is_bounded_in_bytes_as_the_ring_is() {
    let chain = ScriptedChain::new(1000);
    let genesis = chain.canonical()[0];
    let blocks = chain.change(0, 20).blocks;
    let length = blocks[0].bytes.len();
    let read = |max_bytes| read_branch(&chain, &[genesis], 1024, max_bytes).expect("can be read");

    let whole = read(20 * length);
    assert_eq!((whole.notification.blocks.len(), whole.restart_at), (20, None));
    let part = read(5 * length);
    assert_eq!(part.notification.blocks.len(), 5);
    assert_eq!(part.restart_at, Some(blocks[14].at), "begins at the parent of what was kept");
    assert_eq!(part.common, Some(genesis));
    assert!(part.notification.undo.is_empty());
    let none = read(length - 1);
    assert_eq!((none.notification.blocks.len(), none.restart_at), (0, Some(blocks[19].at)));
}

#[tokio::test]
async fn a_branch_left_long_ago_and_notified_of_late_undoes_nothing_final() {
    let chain = Arc::new(ScriptedChain::new(0));
    let (hub, _heights) = hub_over(&chain);
    hub.notify(chain.change(0, 5));
    let late = chain.change(3, 3);
    let ChainNotification { blocks, .. } = chain.change(3, 4);
    let undo = hub.state().ring.tip();
    assert_eq!(undo.number, 5);
    chain.finalize(4);
    hub.notify(ChainNotification { undo: vec![], blocks });
    let head = hub.state().head();
    assert_eq!(Some(&head), chain.canonical().last());
    hub.notify(late);
    assert_eq!(hub.state().head(), head, "the node's chain was never left");
    hub.read_chain().await.expect("can be read");
    assert_eq!(hub.state().head(), head);
}

#[tokio::test]
async fn a_height_that_is_to_be_told_again_is_told_once_the_node_knows_its_hash() {
    let chain = Arc::new(ScriptedChain::new(0));
    chain.change(0, 4);
    chain.finalize(2);
    let (hub, mut heights) = hub_over(&chain);
    let telling = tokio::spawn(Arc::clone(&hub).tell_heights());
    let two = chain.canonical()[2];
    {
        let mut state = hub.state();
        let head = state.head();
        state.consumers.attach("owl", v1::Mode::Durable, Arc::new(NoSession), head);
        state.consumers.progress("owl", Some(two), Some(two), head);
    }
    hub.heights_changed(false);
    assert_eq!(heights.recv().await, Some(two));
    chain.hold_read(2);
    chain.prune(3);
    hub.heights_changed(true);
    while !chain.is_reading() {
        tokio::task::yield_now().await;
    }
    chain.release_read();
    // The look-up has found nothing by the time the next one is asked for, or the two are one.
    tokio::time::sleep(Duration::from_millis(20)).await;
    chain.prune(0);
    hub.heights_changed(false);
    let told = tokio::time::timeout(Duration::from_secs(5), heights.recv()).await;
    assert_eq!(told.expect("is told again"), Some(two));
    telling.abort();
}

#[test]
fn a_limit_that_nothing_could_be_served_with_is_refused_by_name() {
    Limits::default().check().expect("what is there by default will do");
    let no_time = Duration::ZERO;
    let cases = [
        (Limits { max_frame_bytes: 4095, ..Limits::default() }, "max_frame_bytes", "at least 4096", "4095"),
        (Limits { send_buffer_messages: 0, ..Limits::default() }, "send_buffer_messages", "at least 1", "0"),
        (Limits { heartbeat: no_time, ..Limits::default() }, "heartbeat", "more than no time", "0"),
    ];
    for (limits, name, expected, actual) in cases {
        let error = LimitError { name, expected: expected.to_owned(), actual: actual.to_owned() };
        assert_eq!(limits.check(), Err(error));
    }
}
