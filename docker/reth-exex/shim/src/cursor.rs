//! Where one session stands in the chain, and what comes next for it.

use std::sync::Arc;

use crate::chain::{BlockRef, ChainReader, EncodedBlock, ReadError};
use crate::error::{ErrorCode, ExExError};
use crate::proto::v1;
use crate::recent_chain::{Found, RecentChain};
use crate::ring::{Finality, LiveRing};

/// What one notification carries: undo (oldest first), then blocks (oldest first).
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) undo: Vec<BlockRef>,
    pub(crate) blocks: Vec<Arc<EncodedBlock>>,
    /// Parent of the first block; the new tip when there is none.
    pub(crate) parent: BlockRef,
    pub(crate) origin: v1::Origin,
    pub(crate) node_time_ms: f64,
    /// As of the tip it leads to: for live blocks when the node told of them, for others before they were read.
    pub(crate) finality: Finality,
}

impl Batch {
    /// Bytes of the blocks' encodings: what its credit is counted in.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.bytes.len()).sum()
    }

    /// The tip it leads to.
    pub(crate) fn tip(&self) -> BlockRef {
        self.blocks.last().map_or(self.parent, |block| block.at)
    }
}

/// Bounds of one batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    pub(crate) blocks: usize,
    /// At most so many, unless a single block is larger.
    pub(crate) bytes: usize,
}

/// What the ring says to a cursor.
#[derive(Debug)]
pub(crate) enum Live {
    Batch(Batch),
    /// Nothing to send until the node speaks again.
    Current,
    /// The ring does not reach back to where this cursor is.
    Behind,
}

/// From the live ring while it keeps up, else from the node's database, joining the ring again where a tip's hash is in both.
#[derive(Debug)]
pub(crate) struct ChainCursor {
    /// The chain as sent: what acknowledgements and undo lists may name.
    pub(crate) sent: RecentChain,
    /// As of what was sent.
    pub(crate) finality: Finality,
    profile: v1::Profile,
    position: Option<u64>,
    fell_behind: bool,
}

impl ChainCursor {
    pub(crate) fn new(ancestor: BlockRef, profile: v1::Profile, finality: Finality) -> Self {
        Self { sent: RecentChain::new(ancestor), finality, profile, position: None, fell_behind: false }
    }

    pub(crate) fn tip(&self) -> BlockRef {
        self.sent.tip()
    }

    /// Whether it fell out of the ring since the last time this was asked.
    pub(crate) fn take_fell_behind(&mut self) -> bool {
        std::mem::take(&mut self.fell_behind)
    }

    /// All that the node has told of was sent: what is final now is final for whom it was sent to.
    pub(crate) fn is_current(&self, ring: &LiveRing) -> bool {
        self.position == Some(ring.end())
    }

    /// Whether the chain took this block back: this session was told, or will be. It may be from before the session.
    pub(crate) fn undoes(&self, ring: &LiveRing, block: BlockRef) -> bool {
        self.sent.find(block) == Found::Undone || ring.undoes(block.hash, ring.start())
    }

    /// Whether a block that was sent has been taken back since, and this session was not told yet; none when the ring does not
    /// reach back to where this cursor is, and only the node can say.
    pub(crate) fn will_undo(&self, ring: &LiveRing, block: BlockRef) -> Option<bool> {
        let position = self.position.filter(|position| *position >= ring.start())?;
        Some(ring.undoes(block.hash, position))
    }

    /// What the ring has next for this cursor.
    pub(crate) fn next_live(&mut self, ring: &LiveRing, limits: BatchLimits) -> Live {
        if self.position.is_some_and(|position| position < ring.start()) {
            self.position = None;
            self.fell_behind = true;
        }
        let Some(start) = self.position.or_else(|| ring.position_after(self.tip().hash)) else {
            return Live::Behind;
        };
        self.position = Some(start);
        let Some(first) = ring.at(start) else { return Live::Current };
        let mut batch = Batch {
            undo: first.undo.clone(),
            blocks: Vec::new(),
            parent: first.block.as_ref().map_or(first.tip, |block| block.parent),
            origin: v1::Origin::Live,
            node_time_ms: first.node_time_ms,
            finality: first.finality,
        };
        let mut position = start;
        let mut bytes = 0;
        while let Some(step) = ring.at(position) {
            // An undo begins a notification of its own; one without blocks is a whole one.
            if position > start && (!step.undo.is_empty() || step.block.is_none()) {
                break;
            }
            if let Some(block) = &step.block {
                let block = self.as_wanted(block);
                if !batch.blocks.is_empty() && bytes + block.bytes.len() > limits.bytes {
                    break;
                }
                bytes += block.bytes.len();
                batch.blocks.push(block);
            }
            position += 1;
            batch.finality = step.finality;
            if step.block.is_none() || batch.blocks.len() >= limits.blocks {
                break;
            }
        }
        self.position = Some(position);
        self.take(&batch);
        Live::Batch(batch)
    }

    /// Takes what was read from the node's database after `parent`, a block that was sent; none when there is nothing new.
    pub(crate) fn take_cold(&mut self, read: ColdRead, finality: Finality, now_ms: f64) -> Option<Batch> {
        let ColdRead { parent, blocks } = read;
        let undo = self.sent.above(parent);
        if blocks.is_empty() && undo.is_empty() {
            return None;
        }
        let blocks = blocks.iter().map(|block| self.as_wanted(block)).collect();
        let origin = v1::Origin::CatchUp;
        let batch = Batch { undo, blocks, parent, origin, node_time_ms: now_ms, finality };
        self.take(&batch);
        Some(batch)
    }

    fn as_wanted(&self, block: &Arc<EncodedBlock>) -> Arc<EncodedBlock> {
        match self.profile {
            v1::Profile::Receipts => Arc::clone(block),
            v1::Profile::Transactions => block.without_logs(),
        }
    }

    fn take(&mut self, batch: &Batch) {
        // The chain may undo blocks from before this session: it then begins anew at the fork.
        if !batch.undo.is_empty() {
            self.sent.unwind_to(batch.parent, &batch.undo);
        }
        for block in &batch.blocks {
            self.sent.push(block.at);
        }
        self.finality = batch.finality;
    }
}

/// Blocks of the node's database, oldest first, and the block they follow.
#[derive(Debug)]
pub(crate) struct ColdRead {
    pub(crate) parent: BlockRef,
    pub(crate) blocks: Vec<Arc<EncodedBlock>>,
}

/// Reads what comes after the first of `sent` (newest first) that is canonical; none when none of them is. It may block.
pub(crate) fn read_cold(
    reader: &dyn ChainReader,
    sent: &[BlockRef],
    limits: BatchLimits,
) -> Result<Option<ColdRead>, ExExError> {
    // A few times, as the chain may move between finding the fork and reading on from it; then a new locator is better.
    for _ in 0..3 {
        let Some(parent) = first_canonical(reader, sent)? else { return Ok(None) };
        if let Some(blocks) = read_after(reader, parent, limits)? {
            return Ok(Some(ColdRead { parent, blocks }));
        }
    }
    Err(chain_moved("blocks that follow what was sent", "others, three times"))
}

fn first_canonical(reader: &dyn ChainReader, blocks: &[BlockRef]) -> Result<Option<BlockRef>, ReadError> {
    for block in blocks {
        if is_canonical(reader, *block)? {
            return Ok(Some(*block));
        }
    }
    Ok(None)
}

/// Blocks after `parent`; none of them when the chain moved before the first was read.
fn read_after(
    reader: &dyn ChainReader,
    parent: BlockRef,
    limits: BatchLimits,
) -> Result<Option<Vec<Arc<EncodedBlock>>>, ReadError> {
    let mut blocks: Vec<Arc<EncodedBlock>> = Vec::new();
    let mut tip = parent;
    let mut bytes = 0;
    while blocks.len() < limits.blocks {
        let Some(block) = reader.block(tip.number + 1)? else { break };
        if block.parent != tip {
            return Ok((!blocks.is_empty()).then_some(blocks));
        }
        // Read for nothing, once a batch: cheaper than a block held over a change of the chain.
        if !blocks.is_empty() && bytes + block.bytes.len() > limits.bytes {
            break;
        }
        bytes += block.bytes.len();
        tip = block.at;
        blocks.push(block);
    }
    Ok(Some(blocks))
}

/// Whether a block is on the node's canonical chain now. The genesis block needs no asking.
pub(crate) fn is_canonical(reader: &dyn ChainReader, block: BlockRef) -> Result<bool, ReadError> {
    Ok(canonical_ref(reader, block.number)? == Some(block))
}

/// The canonical block at a height.
pub(crate) fn canonical_ref(reader: &dyn ChainReader, number: u64) -> Result<Option<BlockRef>, ReadError> {
    let hash = if number == 0 { Some(reader.genesis_hash()) } else { reader.canonical_hash(number)? };
    Ok(hash.map(|hash| BlockRef::new(number, hash)))
}

/// The chain changed below everything a session knows.
pub(crate) fn chain_moved(expected: &str, actual: &str) -> ExExError {
    ExExError::new(ErrorCode::ChainMoved, "catch-up", expected, actual).advise("Reconnect with a locator.")
}
