//! Between the wire's messages and the types of this crate.

use std::collections::VecDeque;

use alloy_primitives::B256;
use bytes::Bytes;
use prost::Message;

use crate::chain::{BlockRef, EncodedBlock};
use crate::cursor::Batch;
use crate::error::ExExError;
use crate::limits::{FRAME_OVERHEAD_BYTES, FRAME_TARGET_BYTES};
use crate::proto::v1;
use crate::proto::v1::server_frame::Frame;

/// Protocol versions spoken here.
pub(crate) const PROTOCOL: std::ops::RangeInclusive<u32> = 1..=1;
/// The feature by which a client takes several frames in one message.
pub(crate) const PACK_FEATURE: &str = "pack";

pub(crate) fn to_wire(block: BlockRef) -> v1::BlockRef {
    v1::BlockRef { number: block.number, hash: Bytes::copy_from_slice(block.hash.as_slice()) }
}

pub(crate) fn from_wire(place: &str, block: &v1::BlockRef) -> Result<BlockRef, ExExError> {
    let hash = hash_from_wire(place, &block.hash)?;
    Ok(BlockRef::new(block.number, hash))
}

pub(crate) fn hash_from_wire(place: &str, bytes: &[u8]) -> Result<B256, ExExError> {
    B256::try_from(bytes)
        .map_err(|_| ExExError::malformed(place, "a hash of 32 bytes", format!("{} bytes", bytes.len())))
}

pub(crate) fn optional_from_wire(
    place: &str,
    block: Option<&v1::BlockRef>,
) -> Result<Option<BlockRef>, ExExError> {
    block.map(|block| from_wire(place, block)).transpose()
}

pub(crate) fn frame(frame: Frame) -> v1::ServerFrame {
    v1::ServerFrame { frame: Some(frame) }
}

/// What a notification says besides its batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotificationFacts {
    pub(crate) seq: u64,
    pub(crate) head: BlockRef,
    pub(crate) sent_time_ms: f64,
    pub(crate) max_frame_bytes: usize,
    /// The client takes several frames in one message.
    pub(crate) pack: bool,
}

/// The messages of one notification: Begin, the blocks whole or by byte range, End.
pub(crate) fn notification_messages(batch: &Batch, facts: NotificationFacts) -> VecDeque<v1::ServerFrame> {
    let total_bytes = batch.bytes() as u64;
    let block_count = batch.blocks.len() as u32;
    let kind = match (batch.undo.is_empty(), batch.blocks.is_empty()) {
        (true, _) => v1::Kind::Committed,
        (false, true) => v1::Kind::Reverted,
        (false, false) => v1::Kind::Reorged,
    };
    let mut crc = crc32fast::Hasher::new();
    for block in &batch.blocks {
        crc.combine(&crc32fast::Hasher::new_with_initial_len(block.crc32, block.bytes.len() as u64));
    }
    let begin = v1::Begin {
        seq: facts.seq,
        kind: kind.into(),
        parent: Some(to_wire(batch.parent)),
        undo: batch.undo.iter().copied().map(to_wire).collect(),
        block_count,
        total_bytes,
        head: Some(to_wire(facts.head)),
        safe: batch.finality.safe.map(to_wire),
        finalized: batch.finality.finalized.map(to_wire),
        node_time_ms: batch.node_time_ms,
        sent_time_ms: facts.sent_time_ms,
        origin: batch.origin.into(),
    };
    let end = v1::End {
        seq: facts.seq,
        block_count,
        total_bytes,
        crc32: crc.finalize(),
        cursor: Some(to_wire(batch.tip())),
    };
    let target = FRAME_TARGET_BYTES.min(facts.max_frame_bytes) - FRAME_OVERHEAD_BYTES;
    let chunks = batch.blocks.iter().flat_map(|block| chunks_of(block, target));
    let frames = std::iter::once(Frame::Begin(begin)).chain(chunks).chain([Frame::End(end)]).map(frame);
    if facts.pack { packed(frames, target) } else { frames.collect() }
}

fn chunks_of(block: &EncodedBlock, chunk_bytes: usize) -> impl Iterator<Item = Frame> {
    let total = block.bytes.len();
    (0..total).step_by(chunk_bytes).map(move |offset| {
        Frame::Chunk(v1::BlockChunk {
            number: block.at.number,
            offset: offset as u32,
            total: total as u32,
            data: block.bytes.slice(offset..total.min(offset + chunk_bytes)),
        })
    })
}

/// Groups frames into messages of up to `target` bytes, in order.
fn packed(frames: impl Iterator<Item = v1::ServerFrame>, target: usize) -> VecDeque<v1::ServerFrame> {
    let mut messages = VecDeque::new();
    let mut group: Vec<v1::ServerFrame> = Vec::new();
    let mut bytes = 0;
    let mut flush = |group: &mut Vec<v1::ServerFrame>| match group.len() {
        0 => {}
        1 => messages.extend(group.pop()),
        _ => messages.push_back(frame(Frame::Pack(v1::Pack { frames: std::mem::take(group) }))),
    };
    for one in frames {
        // A frame within a pack has a head of its own: tag and length.
        let length = one.encoded_len() + 8;
        if bytes + length > target {
            flush(&mut group);
            bytes = 0;
        }
        bytes += length;
        group.push(one);
    }
    flush(&mut group);
    messages
}
