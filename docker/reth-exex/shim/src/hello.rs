//! Whether a client and this server belong together, and where it continues.

use crate::chain::{BlockRef, ChainReader, NodeHeads, ReadError};
use crate::cursor::{canonical_ref, is_canonical};
use crate::error::{ErrorCode, ExExError};
use crate::hub::Hub;
use crate::limits::{FRAME_LIMIT_BYTES, FRAME_LIMIT_MINIMUM_BYTES};
use crate::proto::v1;
use crate::wire::{PACK_FEATURE, PROTOCOL, from_wire, hash_from_wire, optional_from_wire};

/// A Hello that was checked.
#[derive(Clone, Debug)]
pub(crate) struct Hello {
    pub(crate) consumer_id: String,
    pub(crate) mode: v1::Mode,
    pub(crate) profile: v1::Profile,
    /// Version spoken from here on.
    pub(crate) protocol: u32,
    pub(crate) max_frame_bytes: u32,
    pub(crate) pack: bool,
    /// Newest first.
    pub(crate) locator: Vec<BlockRef>,
    pub(crate) start: u64,
    pub(crate) finalized: Option<BlockRef>,
    pub(crate) durable: Option<BlockRef>,
}

/// Checks what needs no reading of the chain.
pub(crate) fn check_hello(hello: &v1::Hello, hub: &Hub) -> Result<Hello, ExExError> {
    let (min, max) = (*PROTOCOL.start(), *PROTOCOL.end());
    if hello.protocol_max < min || hello.protocol_min > max || hello.protocol_min > hello.protocol_max {
        return Err(ExExError::new(
            ErrorCode::VersionMismatch,
            "hello.protocol",
            format!("a range that meets {min} to {max}"),
            format!("{} to {}", hello.protocol_min, hello.protocol_max),
        )
        .advise("Upgrade the older side."));
    }
    if !is_consumer_id(&hello.consumer_id) {
        return Err(ExExError::new(
            ErrorCode::BadConsumerId,
            "hello.consumer_id",
            "a letter or digit, then up to 63 letters, digits, dots, dashes or underscores",
            format!("{:?}", hello.consumer_id.chars().take(80).collect::<String>()),
        ));
    }
    if hello.chain_id != 0 && hello.chain_id != hub.chain_id {
        return Err(ExExError::new(
            ErrorCode::ChainMismatch,
            "hello.chain_id",
            format!("{}, the node's", hub.chain_id),
            hello.chain_id.to_string(),
        )
        .advise("Attach to a node of the right chain, or use another data directory."));
    }
    if !hello.genesis_hash.is_empty() {
        let genesis = hash_from_wire("hello.genesis_hash", &hello.genesis_hash)?;
        if genesis != hub.genesis_hash {
            return Err(ExExError::new(
                ErrorCode::GenesisMismatch,
                "hello.genesis_hash",
                format!("{}, the node's", hub.genesis_hash),
                genesis.to_string(),
            )
            .advise("The devnet was made anew: use another data directory."));
        }
    }
    if hello.locator.len() > hub.limits.max_locator {
        return Err(ExExError::new(
            ErrorCode::BadRequest,
            "hello.locator",
            format!("at most {} entries", hub.limits.max_locator),
            hello.locator.len().to_string(),
        ));
    }
    if hello.max_frame_bytes != 0 && hello.max_frame_bytes < FRAME_LIMIT_MINIMUM_BYTES {
        return Err(ExExError::new(
            ErrorCode::BadRequest,
            "hello.max_frame_bytes",
            format!("0 or at least {FRAME_LIMIT_MINIMUM_BYTES}"),
            hello.max_frame_bytes.to_string(),
        ));
    }
    let mut locator =
        hello.locator.iter().map(|block| from_wire("hello.locator", block)).collect::<Result<Vec<_>, _>>()?;
    locator.sort_by_key(|block| std::cmp::Reverse(block.number));
    let asked = if hello.max_frame_bytes == 0 { FRAME_LIMIT_BYTES } else { hello.max_frame_bytes };
    Ok(Hello {
        consumer_id: hello.consumer_id.clone(),
        mode: hello.mode.try_into().map_err(|_| not_in_list("hello.mode", hello.mode))?,
        profile: hello.profile.try_into().map_err(|_| not_in_list("hello.profile", hello.profile))?,
        protocol: max.min(hello.protocol_max),
        max_frame_bytes: asked.min(hub.limits.max_frame_bytes),
        pack: hello.features.iter().any(|feature| feature == PACK_FEATURE),
        locator,
        start: hello.start.unwrap_or(1),
        finalized: optional_from_wire("hello.finalized", hello.finalized.as_ref())?,
        durable: optional_from_wire("hello.durable", hello.durable.as_ref())?,
    })
}

fn is_consumer_id(id: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric();
    (1..=64).contains(&id.len())
        && is_word(id.as_bytes()[0])
        && id.bytes().all(|byte| is_word(byte) || b"._-".contains(&byte))
}

fn not_in_list(place: &str, value: i32) -> ExExError {
    ExExError::malformed(place, "a value of the contract", value.to_string())
}

/// Where a consumer continues, and what of it is durable there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) ancestor: BlockRef,
    pub(crate) durable: Option<BlockRef>,
}

/// Finds a consumer's highest locator entry that is canonical, or the block before its start when it has none. It may block.
pub(crate) fn find_place(reader: &dyn ChainReader, hello: &Hello) -> Result<Place, ExExError> {
    let heads = reader.heads()?;
    let ancestor = if hello.locator.is_empty() {
        before_start(reader, &heads, hello.start)?
    } else {
        find_ancestor(reader, &heads, hello)?
    };
    // It unwinds to the ancestor: of what was durable above it nothing counts.
    let durable =
        hello.durable.map(|durable| if durable.number > ancestor.number { ancestor } else { durable });
    Ok(Place { ancestor, durable })
}

fn find_ancestor(reader: &dyn ChainReader, heads: &NodeHeads, hello: &Hello) -> Result<BlockRef, ExExError> {
    let head = heads.head.number;
    for entry in hello.locator.iter().filter(|entry| entry.number <= head) {
        if !is_canonical(reader, *entry)? {
            continue;
        }
        if hello.finalized.is_some_and(|finalized| entry.number < finalized.number) {
            break;
        }
        // The tip itself needs nothing before it; anything lower needs the blocks that follow.
        if entry.number < head && entry.number + 1 < heads.oldest_block {
            return Err(pruned(entry.number + 1, heads));
        }
        return Ok(*entry);
    }
    let lowest = hello.locator[hello.locator.len() - 1].number;
    Err(ExExError::new(
        ErrorCode::Resync,
        "hello.locator",
        format!(
            "one of {} blocks down to {} on the canonical chain",
            hello.locator.len(),
            hello.finalized.map_or(lowest, |block| block.number)
        ),
        "none",
    )
    .advise(
        "The chain was reorganised below what this consumer holds for final. Check that the node is on the right chain; then \
         start with another --data-dir (or remove this one) to rebuild from it.",
    ))
}

fn before_start(reader: &dyn ChainReader, heads: &NodeHeads, start: u64) -> Result<BlockRef, ExExError> {
    let after_head = heads.head.number + 1;
    if start < 1 || start > after_head {
        return Err(ExExError::new(
            ErrorCode::BadRequest,
            "hello.start",
            format!("1 to {after_head}, the block after the head"),
            start.to_string(),
        ));
    }
    if start < after_head && start < heads.oldest_block {
        return Err(pruned(start, heads));
    }
    if let Some(before) = canonical_ref(reader, start - 1)? {
        return Ok(before);
    }
    // The block before the oldest one is known by the oldest one alone.
    Ok(reader.block(start)?.ok_or_else(|| pruned(start, heads))?.parent)
}

fn pruned(number: u64, heads: &NodeHeads) -> ExExError {
    ReadError::Pruned { number, oldest_block: heads.oldest_block }.into()
}
