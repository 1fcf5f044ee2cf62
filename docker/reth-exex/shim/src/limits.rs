//! Bounds of everything that could grow.

use std::time::Duration;

/// What one frame is filled up to, bytes.
pub(crate) const FRAME_TARGET_BYTES: usize = 1 << 20;
/// The largest frame there is, bytes: what gRPC receives by default.
pub(crate) const FRAME_LIMIT_BYTES: u32 = 4 << 20;
/// The smallest limit a client may ask for, bytes.
pub(crate) const FRAME_LIMIT_MINIMUM_BYTES: u32 = 4096;
/// What a frame has besides its data, bytes at most.
pub(crate) const FRAME_OVERHEAD_BYTES: usize = 256;
/// Bytes of a client's frame at most: a locator of 256 entries has 12 kB.
pub(crate) const CLIENT_FRAME_BYTES: usize = 1 << 18;

/// Bounds and times of a server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Blocks kept for live delivery.
    pub ring_blocks: usize,
    /// Bytes of encoded blocks kept for live delivery.
    pub ring_bytes: usize,
    /// Blocks in one notification at most.
    pub batch_blocks: usize,
    /// Bytes in one notification at most, but for a single block that is larger.
    pub batch_bytes: usize,
    /// Largest frame sent; a client may ask for less.
    pub max_frame_bytes: u32,
    /// Messages written to one session and not yet taken by its connection.
    pub send_buffer_messages: usize,
    /// Sessions at once.
    pub max_sessions: usize,
    /// Entries a locator may have.
    pub max_locator: usize,
    /// Blocks a durable consumer may let pass without progress before it stops holding FinishedHeight.
    pub evict_after_blocks: u64,
    /// Stands in for the finalized block of a node that has none: head minus this.
    pub finality_depth: u64,
    /// Heartbeat when nothing else was sent for so long.
    pub heartbeat: Duration,
    /// A heartbeat that must be answered.
    pub ping: Duration,
    /// How long a client may take to say Hello or to answer a ping.
    pub ping_timeout: Duration,
    /// Wait before a failed read of the node is tried again.
    pub read_retry: Duration,
    /// How often the node's head is compared with what it notified of.
    pub watch: Duration,
    /// How long the two may differ before the chain is read from the node instead.
    pub watch_patience: Duration,
    /// How long open sessions get to end when the server closes.
    pub close_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ring_blocks: 1024,
            ring_bytes: 128 << 20,
            batch_blocks: 64,
            batch_bytes: 1 << 20,
            max_frame_bytes: FRAME_LIMIT_BYTES,
            send_buffer_messages: 4,
            max_sessions: 256,
            max_locator: 256,
            evict_after_blocks: 7200,
            finality_depth: 64,
            heartbeat: Duration::from_secs(1),
            ping: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(20),
            read_retry: Duration::from_secs(1),
            watch: Duration::from_secs(1),
            watch_patience: Duration::from_secs(10),
            close_timeout: Duration::from_secs(2),
        }
    }
}
