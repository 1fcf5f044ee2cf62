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
/// A block's number and hash in a list, bytes at most: 2 before them, 1 + 10 and 2 + 32.
pub(crate) const BLOCK_REF_BYTES: usize = 47;
/// Bytes of a client's frame at most: a locator of 256 entries has 12 kB.
pub(crate) const CLIENT_FRAME_BYTES: usize = 1 << 18;

/// How long the answer to an acknowledgement waits for the height that follows from it: a look-up of a hash, on a busy machine.
pub(crate) const HEIGHT_PATIENCE: Duration = Duration::from_secs(1);

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
    /// Sessions at once; as many may subscribe to the official service.
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
    /// Notifications that may wait for one subscriber of the official service: one for whom more would is cut off.
    pub remote_queue_notifications: usize,
    /// Bytes that may wait for one, but for a single notification that is larger.
    pub remote_queue_bytes: usize,
}

/// A limit that nothing could be served with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limit {name}: expected {expected}, got {actual}")]
pub struct LimitError {
    /// Its field in [`Limits`].
    pub name: &'static str,
    /// What it may be.
    pub expected: String,
    /// What it is.
    pub actual: String,
}

impl Limits {
    /// Refuses what would make a frame without data, a queue without room, or a clock that does not advance.
    pub(crate) fn check(&self) -> Result<(), LimitError> {
        let least = [
            ("max_frame_bytes", u64::from(self.max_frame_bytes), u64::from(FRAME_LIMIT_MINIMUM_BYTES)),
            ("send_buffer_messages", self.send_buffer_messages as u64, 1),
            ("batch_blocks", self.batch_blocks as u64, 1),
            ("remote_queue_notifications", self.remote_queue_notifications as u64, 1),
        ];
        let too_small = least.into_iter().find(|(_, actual, least)| actual < least);
        if let Some((name, actual, least)) = too_small {
            return Err(LimitError {
                name,
                expected: format!("at least {least}"),
                actual: actual.to_string(),
            });
        }
        for (name, period) in [("heartbeat", self.heartbeat), ("watch", self.watch)] {
            if period.is_zero() {
                return Err(LimitError {
                    name,
                    expected: "more than no time".to_owned(),
                    actual: "0".to_owned(),
                });
            }
        }
        Ok(())
    }
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
            remote_queue_notifications: 1024,
            remote_queue_bytes: 64 << 20,
        }
    }
}
