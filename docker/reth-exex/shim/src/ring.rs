//! The chain's latest steps, shared by all sessions.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use alloy_primitives::B256;

use crate::chain::{BlockRef, EncodedBlock};

/// What was safe and final at some moment of the chain. It is told with the chain as it was then: a later one beside an
/// earlier chain could be undone by what lies between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Finality {
    pub(crate) safe: Option<BlockRef>,
    pub(crate) finalized: Option<BlockRef>,
}

/// What the chain did, in order: `undo` (oldest first), then `blocks` (oldest first).
#[derive(Clone, Debug)]
pub(crate) struct ChainEvent {
    pub(crate) undo: Vec<BlockRef>,
    pub(crate) blocks: Vec<Arc<EncodedBlock>>,
    /// Parent of the first block; the new tip when there is none.
    pub(crate) parent: BlockRef,
    pub(crate) finality: Finality,
    /// Unix milliseconds when the node told of it.
    pub(crate) node_time_ms: f64,
}

/// Undo these (oldest first), then apply the block, if there is one.
#[derive(Clone, Debug)]
pub(crate) struct RingStep {
    pub(crate) undo: Vec<BlockRef>,
    pub(crate) block: Option<Arc<EncodedBlock>>,
    /// The tip once the step is done.
    pub(crate) tip: BlockRef,
    pub(crate) finality: Finality,
    pub(crate) node_time_ms: f64,
}

/// Bounded in blocks and bytes. A session holds a position, which only grows; one below `start` has fallen out, and goes on
/// from the node's database.
#[derive(Debug)]
pub(crate) struct LiveRing {
    max_blocks: usize,
    max_bytes: usize,
    steps: VecDeque<RingStep>,
    start: u64,
    /// The tip before the first step held.
    base: B256,
    /// Where the chain stood at a tip for the last time: the position that follows.
    position_after: HashMap<B256, u64>,
    tip: BlockRef,
    blocks: usize,
    bytes: usize,
}

impl LiveRing {
    pub(crate) fn new(tip: BlockRef, max_blocks: usize, max_bytes: usize) -> Self {
        Self {
            max_blocks,
            max_bytes,
            steps: VecDeque::new(),
            start: 0,
            base: tip.hash,
            position_after: HashMap::from([(tip.hash, 0)]),
            tip,
            blocks: 0,
            bytes: 0,
        }
    }

    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    pub(crate) fn end(&self) -> u64 {
        self.start + self.steps.len() as u64
    }

    pub(crate) fn tip(&self) -> BlockRef {
        self.tip
    }

    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes what the chain does next. Where it does not follow what came before, the ring begins anew at this event, and
    /// every session finds its place again by hash.
    pub(crate) fn push(&mut self, event: ChainEvent) {
        let follows = event.undo.last().map_or(event.parent.hash, |last| last.hash) == self.tip.hash;
        if !follows {
            self.restart(event.parent);
        }
        let ChainEvent { undo, blocks, parent, finality, node_time_ms } = event;
        let mut undo = if follows { undo } else { Vec::new() };
        if blocks.is_empty() && !undo.is_empty() {
            let undo = std::mem::take(&mut undo);
            self.append(RingStep { undo, block: None, tip: parent, finality, node_time_ms });
        }
        for block in blocks {
            let (undo, tip) = (std::mem::take(&mut undo), block.at);
            self.append(RingStep { undo, block: Some(block), tip, finality, node_time_ms });
        }
        while self.blocks > self.max_blocks || self.bytes > self.max_bytes {
            self.drop_oldest();
        }
    }

    pub(crate) fn at(&self, position: u64) -> Option<&RingStep> {
        let index = position.checked_sub(self.start)?;
        self.steps.get(usize::try_from(index).ok()?)
    }

    /// The position from which a consumer with this tip continues; none when the ring does not reach back to it.
    pub(crate) fn position_after(&self, tip: B256) -> Option<u64> {
        self.position_after.get(&tip).copied()
    }

    /// Whether a step still held, from a position on, takes this block back.
    pub(crate) fn undoes(&self, hash: B256, from: u64) -> bool {
        let before = usize::try_from(from.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.steps.iter().skip(before).any(|step| step.undo.iter().any(|block| block.hash == hash))
    }

    fn append(&mut self, step: RingStep) {
        self.tip = step.tip;
        if let Some(block) = &step.block {
            self.blocks += 1;
            self.bytes += block.bytes.len();
        }
        self.steps.push_back(step);
        self.position_after.insert(self.tip.hash, self.end());
    }

    fn drop_oldest(&mut self) {
        let Some(step) = self.steps.pop_front() else { return };
        // What led to the dropped step cannot be continued from any more, unless the chain came back to it since.
        if self.position_after.get(&self.base) == Some(&self.start) {
            self.position_after.remove(&self.base);
        }
        self.base = step.tip.hash;
        self.start += 1;
        if let Some(block) = step.block {
            self.blocks -= 1;
            self.bytes -= block.bytes.len();
        }
    }

    fn restart(&mut self, tip: BlockRef) {
        // Positions never repeat: a session that held one finds it below `start`.
        self.start = self.end() + 1;
        self.steps.clear();
        self.blocks = 0;
        self.bytes = 0;
        self.tip = tip;
        self.base = tip.hash;
        self.position_after = HashMap::from([(tip.hash, self.start)]);
    }
}
