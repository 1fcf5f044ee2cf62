//! The official service `exex.RemoteExEx`: what the node notifies of, whole, encoded once for all who subscribe. It knows no
//! acknowledgement and no resuming, so nothing is made up here: whom a notification did not reach, or who is too slow for
//! them, is told so and ended, and subscribes again.

mod encode;
mod encode_state;
mod service;
mod subscribers;

#[cfg(test)]
mod tests;

use alloy_consensus::{EthereumReceipt, EthereumTxEnvelope, Header, TxEip4844};
use alloy_primitives::{Address, B256};
use bytes::{Buf, BufMut, Bytes};
use prost::encoding::{DecodeContext, WireType, skip_field};
use prost::{DecodeError, Message};
use revm_database::BundleState;

pub(crate) use service::RemoteService;
pub(crate) use subscribers::{Subscribers, Subscription};

/// The service's server, as `build.rs` makes it: its messages go out as the bytes they are.
#[allow(missing_docs, clippy::all, unreachable_pub)]
mod server {
    include!(concat!(env!("OUT_DIR"), "/server/exex.rs"));
}
pub(crate) use server::remote_ex_ex_server::{RemoteExEx, RemoteExExServer};

/// A part of the node's chain and what its execution came to, as the node notifies of it.
#[derive(Clone, Debug)]
pub struct RemoteChain<'a> {
    /// Lowest first, each the parent of the next.
    pub blocks: Vec<RemoteBlock<'a>>,
    /// State after all of the blocks, and what takes each of them back.
    pub bundle: &'a BundleState,
    /// One list a block, one receipt a transaction.
    pub receipts: &'a [Vec<EthereumReceipt>],
    /// The block that `bundle` and `receipts` begin at.
    pub first_block: u64,
}

/// A block, and who sent its transactions.
#[derive(Clone, Copy, Debug)]
pub struct RemoteBlock<'a> {
    /// Hash of the header.
    pub hash: B256,
    /// Its header.
    pub header: &'a Header,
    /// Its transactions, blobs left out.
    pub transactions: &'a [EthereumTxEnvelope<TxEip4844>],
    /// Headers of its ommers; none since the merge.
    pub ommers: &'a [Header],
    /// One a transaction.
    pub senders: &'a [Address],
}

/// A message `exex.ExExNotification` in its encoding, shared by all who wait for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct EncodedNotification(Bytes);

impl Message for EncodedNotification {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        buffer.put_slice(&self.0);
    }

    /// It is only ever sent: the clients' side is generated from the contract.
    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        skip_field(wire_type, tag, buffer, context)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
