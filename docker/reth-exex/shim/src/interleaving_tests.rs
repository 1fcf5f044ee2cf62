//! Any interleaving of what the node does, what it forgets to say, what consumers do and what breaks leaves every consumer
//! with the canonical chain, each block applied once more than it was undone if it is canonical, and as often if it is not.

use std::collections::HashMap;
use std::sync::Arc;

use alloy_primitives::B256;
use proptest::prelude::*;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::chain::{BlockRef, ChainNotification, ChainReader};
use crate::cursor::{Batch, BatchLimits, ChainCursor, Live, read_cold};
use crate::error::ErrorCode;
use crate::hello::{Hello, find_place};
use crate::hub::Hub;
use crate::limits::Limits;
use crate::proto::v1;
use crate::ring::Finality;
use crate::scripted_chain::ScriptedChain;

const CONSUMERS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// The node's chain changes and it says so: a commit, a reorg or a revert.
    Change { depth: usize, count: usize },
    /// The node's chain changes in silence.
    Miss { depth: usize, count: usize },
    /// The node says again what it said last.
    Repeat,
    /// The watchdog looks.
    Watch,
    /// A consumer takes a batch.
    Pull { consumer: usize, blocks: usize, bytes: usize },
    /// A consumer's connection breaks: it comes back with a locator.
    Cut { consumer: usize },
    /// The node's next read of a block fails.
    Fail,
    /// The node's chain changes while it is read, in silence.
    Move { reads: u32, depth: usize, count: usize },
    /// The server starts anew.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let consumer = 0..CONSUMERS;
    let step = prop_oneof![
        4 => (0..6_usize, 0..6_usize).prop_map(|(depth, count)| Step::Change { depth: depth.saturating_sub(2), count }),
        1 => (0..4_usize, 0..9_usize).prop_map(|(depth, count)| Step::Miss { depth, count }),
        1 => Just(Step::Repeat),
        1 => Just(Step::Watch),
        8 => (consumer.clone(), 1..5_usize, prop_oneof![Just(1), Just(700), Just(100_000)])
            .prop_map(|(consumer, blocks, bytes)| Step::Pull { consumer, blocks, bytes }),
        1 => consumer.prop_map(|consumer| Step::Cut { consumer }),
        1 => Just(Step::Fail),
        2 => (0..4_u32, 0..5_usize, 0..6_usize)
            .prop_map(|(reads, depth, count)| Step::Move { reads, depth, count }),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..60)
}

/// What a consumer holds, and how often it applied and undid each block.
struct Model {
    chain: Vec<BlockRef>,
    balance: HashMap<B256, i32>,
    cursor: ChainCursor,
}

impl Model {
    fn new(genesis: BlockRef) -> Self {
        let cursor = ChainCursor::new(genesis, v1::Profile::Receipts, Finality::default());
        Self { chain: vec![genesis], balance: HashMap::new(), cursor }
    }

    fn undo(&mut self) {
        let block = self.chain.pop().expect("never undoes the genesis block");
        *self.balance.entry(block.hash).or_default() -= 1;
    }

    fn apply(&mut self, batch: &Batch) {
        for block in batch.undo.iter().rev() {
            assert_eq!(self.chain.last(), Some(block), "told to undo what is not the tip");
            self.undo();
        }
        assert_eq!(self.chain.last(), Some(&batch.parent), "not built on the tip");
        for block in &batch.blocks {
            assert_eq!(self.chain.last(), Some(&block.parent), "a block that does not follow");
            self.chain.push(block.at);
            *self.balance.entry(block.at.hash).or_default() += 1;
        }
    }

    fn reconnect(&mut self, reader: &dyn ChainReader) {
        let hello = Hello {
            consumer_id: "model".to_owned(),
            mode: v1::Mode::Durable,
            profile: v1::Profile::Receipts,
            protocol: 1,
            max_frame_bytes: 4 << 20,
            pack: true,
            locator: self.chain.iter().rev().copied().collect(),
            start: 1,
            finalized: None,
            durable: None,
        };
        let place = find_place(reader, &hello).expect("the genesis block is common");
        while self.chain.last() != Some(&place.ancestor) {
            self.undo();
        }
        self.cursor = ChainCursor::new(place.ancestor, v1::Profile::Receipts, Finality::default());
    }

    /// Takes what comes next, as a session does; false when there is nothing.
    fn pull(&mut self, hub: &Hub, limits: BatchLimits) -> bool {
        let live = self.cursor.next_live(&hub.state().ring, limits);
        let batch = match live {
            Live::Batch(batch) => Some(batch),
            Live::Current => None,
            Live::Behind => {
                let reader = hub.reader.as_ref();
                let sent: Vec<_> = self.cursor.sent.newest_first().collect();
                match read_cold(reader, &sent, limits) {
                    Ok(Some(read)) => self.cursor.take_cold(read, Finality::default(), 0.0),
                    Err(error) if error.code == ErrorCode::Unavailable => None,
                    Ok(None) | Err(_) => {
                        self.reconnect(reader);
                        return true;
                    }
                }
            }
        };
        batch.inspect(|batch| self.apply(batch)).is_some()
    }
}

fn start(chain: &Arc<ScriptedChain>, ring_bytes: usize) -> Arc<Hub> {
    let (finished, _) = mpsc::unbounded_channel();
    // Small, so that falling out of it is common.
    let limits = Limits { ring_blocks: 6, ring_bytes, ..Limits::default() };
    Arc::new(Hub::new(chain.clone(), limits, finished).expect("the chain can be read"))
}

fn run(steps: Vec<Step>, ring_bytes: usize, runtime: &Runtime) {
    let chain = Arc::new(ScriptedChain::new(0));
    let genesis = chain.canonical()[0];
    let mut hub = start(&chain, ring_bytes);
    let mut models: Vec<Model> = (0..CONSUMERS).map(|_| Model::new(genesis)).collect();
    let mut last = ChainNotification::default();
    for step in steps {
        match step {
            Step::Change { depth, count } => {
                last = chain.change(depth, count);
                hub.notify(last.clone());
            }
            Step::Miss { depth, count } => drop(chain.change(depth, count)),
            Step::Repeat => hub.notify(last.clone()),
            // A read that was told to fail does: the next turn looks again.
            Step::Watch => drop(runtime.block_on(hub.read_chain())),
            Step::Pull { consumer, blocks, bytes } => {
                models[consumer].pull(&hub, BatchLimits { blocks, bytes });
            }
            Step::Cut { consumer } => models[consumer].reconnect(chain.as_ref()),
            Step::Fail => chain.fail_reads(1),
            Step::Move { reads, depth, count } => chain.move_in(reads, depth, count),
            Step::Restart => {
                hub = start(&chain, ring_bytes);
                models.iter_mut().for_each(|model| model.reconnect(chain.as_ref()));
            }
        }
    }
    chain.settle();
    runtime.block_on(hub.read_chain()).expect("the chain can be read");
    let canonical = chain.canonical();
    for model in &mut models {
        while model.pull(&hub, BatchLimits { blocks: 3, bytes: 100_000 }) {}
        assert_eq!(model.chain, canonical);
        for (hash, balance) in &model.balance {
            let is_canonical = canonical.iter().any(|block| block.hash == *hash);
            assert_eq!(*balance, i32::from(is_canonical), "applied and undone, block {hash}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_consumer_ends_with_the_canonical_chain(
        steps in steps(),
        // A block has about 330 bytes: none fits, three do, or all.
        ring_bytes in prop_oneof![1 => Just(100), 2 => Just(1000), 5 => Just(1 << 20)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        run(steps, ring_bytes, &runtime);
    }
}
