//! The server half of `exex.v1`, for a node to embed: streams its canonical chain to consumers, and tells it what it may
//! forget. The official service `exex.RemoteExEx` is served beside it.
//!
//! What it rests on:
//! - **The node never waits.** A notification goes into a bounded ring and is done with. Who is too slow for the ring reads
//!   the rest from the node's database, and joins the ring again where both have the same block.
//! - **Nothing the node says is taken on trust.** Every block must have a parent that was told before; what does not fit, or
//!   is missing, is read from the node instead ([`ChainReader`]).
//! - **The truth is number and hash.** A consumer resumes by a list of its own recent blocks; no state of the server is needed.
//! - **FinishedHeight is never above finalized**, nor above what the slowest durable consumer has stored, and its hash is
//!   looked up on the canonical chain as it is told.
//! - **Nothing here panics or ends** because of what a consumer sends.

mod auth;
mod branch;
mod chain;
mod consumers;
mod cursor;
mod encode;
mod error;
mod hello;
mod hub;
mod limits;
mod metrics;
mod recent_chain;
mod remote;
mod ring;
mod server;
mod service;
mod session;
mod tracker;
mod wire;

#[cfg(test)]
extern crate self as monmouth_exex_shim;
#[cfg(test)]
mod hub_tests;
#[cfg(test)]
mod interleaving_tests;
#[cfg(test)]
#[path = "../tests/common/scripted_chain.rs"]
mod scripted_chain;
#[cfg(test)]
mod wire_tests;

/// The messages and services of the wire, as `sidecar/exex/*.proto` have them.
#[allow(missing_docs, clippy::all, unreachable_pub)]
pub mod proto {
    /// `exex.v1`.
    pub mod v1 {
        tonic::include_proto!("exex.v1");
    }
    /// The official service, `exex`: messages and client.
    pub mod remote {
        tonic::include_proto!("exex");
    }
    /// File descriptors, for reflection.
    pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
}

pub use auth::Tokens;
pub use chain::{BlockRef, ChainNotification, ChainReader, EncodedBlock, NodeHeads, ReadError};
pub use encode::{BlockHead, EncodeError, ReceiptParts, SentTransaction, encode_block};
pub use error::{ErrorCode, ExExError};
pub use limits::{LimitError, Limits};
pub use remote::{RemoteBlock, RemoteChain};
pub use server::{FinishedHeights, Listen, ServerOptions, Shim, StartError, Tls};
