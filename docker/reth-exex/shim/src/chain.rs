//! What the shim knows of a node's chain, and where it reads the rest.

use std::fmt;
use std::sync::{Arc, OnceLock};

use alloy_primitives::B256;
use bytes::Bytes;

/// A block by number and hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockRef {
    /// Height.
    pub number: u64,
    /// Hash of the header.
    pub hash: B256,
}

impl BlockRef {
    /// A block by number and hash.
    pub const fn new(number: u64, hash: B256) -> Self {
        Self { number, hash }
    }

    /// The higher of two; this one where they are level.
    pub(crate) const fn later(self, other: Self) -> Self {
        if other.number > self.number { other } else { self }
    }
}

impl fmt::Display for BlockRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.hash)
    }
}

impl fmt::Debug for BlockRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A block encoded once (message `exex.v1.Block`) and shared by every consumer.
#[derive(Debug)]
pub struct EncodedBlock {
    /// The block.
    pub at: BlockRef,
    /// Its parent. The genesis block's is number 0 with a hash of zeros.
    pub parent: BlockRef,
    /// The encoding, logs included.
    pub bytes: Bytes,
    /// CRC-32 (IEEE) of `bytes`.
    pub crc32: u32,
    /// Where the logs begin in `bytes`: they come last, so that a block without them is a part of it.
    lean_len: usize,
    lean: OnceLock<Arc<Self>>,
}

impl EncodedBlock {
    /// Takes an encoding whose logs begin at `lean_len`.
    pub fn new(at: BlockRef, parent: BlockRef, bytes: Bytes, lean_len: usize) -> Self {
        let crc32 = crc32fast::hash(&bytes);
        Self { at, parent, bytes, crc32, lean_len, lean: OnceLock::new() }
    }

    /// The block without its logs, made once for all consumers that want it so.
    pub fn without_logs(self: &Arc<Self>) -> Arc<Self> {
        if self.lean_len == self.bytes.len() {
            return Arc::clone(self);
        }
        let lean = self.lean.get_or_init(|| {
            Arc::new(Self::new(self.at, self.parent, self.bytes.slice(..self.lean_len), self.lean_len))
        });
        Arc::clone(lean)
    }
}

/// What the node says of its chain at one moment.
#[derive(Clone, Copy, Debug)]
pub struct NodeHeads {
    /// The canonical tip.
    pub head: BlockRef,
    /// The newest safe block, once the node knows one.
    pub safe: Option<BlockRef>,
    /// The newest finalized block, once the node knows one.
    pub finalized: Option<BlockRef>,
    /// The oldest block that can be read with its receipts.
    pub oldest_block: u64,
    /// The node itself is behind its network.
    pub syncing: bool,
}

/// Why a block could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// The node has forgotten it.
    #[error("expected a block at or above {oldest_block}, the oldest that can be served, got block {number}")]
    Pruned {
        /// What was asked for.
        number: u64,
        /// What can be had.
        oldest_block: u64,
    },
    /// The node did not answer. Asking again may help.
    #[error("the node did not answer: {0}")]
    Failed(String),
}

/// A node's canonical chain as its database and memory have it now. Calls may block; they are made from threads that may.
pub trait ChainReader: Send + Sync + 'static {
    /// EIP-155 chain id.
    fn chain_id(&self) -> u64;
    /// Hash of block 0.
    fn genesis_hash(&self) -> B256;
    /// The tip, and what is safe and final.
    fn heads(&self) -> Result<NodeHeads, ReadError>;
    /// Hash of the canonical block at a height; none above the head, or where the node has forgotten it.
    fn canonical_hash(&self, number: u64) -> Result<Option<B256>, ReadError>;
    /// The canonical block at a height, with its receipts; none above the head.
    fn block(&self, number: u64) -> Result<Option<Arc<EncodedBlock>>, ReadError>;
}

/// One notification of the node, in the words of its kinds: committed (no `undo`), reverted (no `blocks`), reorged (both).
#[derive(Clone, Debug, Default)]
pub struct ChainNotification {
    /// Blocks that are canonical no longer, oldest first.
    pub undo: Vec<BlockRef>,
    /// Blocks that are canonical from now on, oldest first.
    pub blocks: Vec<Arc<EncodedBlock>>,
}
