//! The ExEx: hands what the node notifies to the shim, and what the shim's consumers no longer need to the node.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::StreamExt;
use monmouth_exex_shim::{
    BlockRef, ChainNotification, EncodeError, FinishedHeights, Limits, ServerOptions, Shim,
};
use reth_ethereum::EthPrimitives;
use reth_ethereum::chainspec::EthChainSpec;
use reth_ethereum::exex::{ExExContext, ExExNotification};
use reth_ethereum::network::api::NetworkInfo;
use reth_ethereum::node::api::{FullNodeComponents, NodeTypes};
use reth_ethereum::provider::Chain;
use tracing::{error, info};

use crate::blocks::{encode_chain, refs_of, remote_chain};
use crate::provider::ProviderReader;

/// Begins to listen, and returns the future that the node drives. An error here, such as an address in use, stops the node
/// as it starts; the future itself never ends, as the whole node would end with it.
pub async fn start<Node>(
    ctx: ExExContext<Node>,
    limits: Limits,
    options: ServerOptions,
) -> eyre::Result<impl Future<Output = eyre::Result<()>> + Send>
where
    Node: FullNodeComponents<Types: NodeTypes<Primitives = EthPrimitives>>,
{
    let network = ctx.network().clone();
    let reader = ProviderReader {
        provider: ctx.provider().clone(),
        chain_id: ctx.config.chain.chain().id(),
        genesis_hash: ctx.config.chain.genesis_hash(),
        is_syncing: Box::new(move || network.is_syncing()),
    };
    // More in one notification are not encoded: who follows reads them from the database.
    let most_blocks = limits.ring_blocks;
    let (shim, heights) = Shim::start(Arc::new(reader), limits, options).await?;
    let shim = Arc::new(shim);
    let closing = Arc::clone(&shim);
    ctx.task_executor().spawn_with_graceful_shutdown_signal(async move |shutdown| {
        let guard = shutdown.await;
        info!("telling consumers that the node is going away");
        closing.close().await;
        drop(guard);
    });
    Ok(follow(ctx, shim, heights, most_blocks))
}

async fn follow<Node>(
    mut ctx: ExExContext<Node>,
    shim: Arc<Shim>,
    mut heights: FinishedHeights,
    most_blocks: usize,
) -> eyre::Result<()>
where
    Node: FullNodeComponents<Types: NodeTypes<Primitives = EthPrimitives>>,
{
    loop {
        tokio::select! {
            notification = ctx.notifications.next() => match notification {
                Some(Ok(notification)) => forward(&shim, &notification, most_blocks),
                Some(Err(error)) => shim.feed_broken(&error.to_string()),
                None => break,
            },
            Some(height) = heights.recv() => finish(&ctx, height),
        }
    }
    shim.feed_ended();
    while let Some(height) = heights.recv().await {
        finish(&ctx, height);
    }
    std::future::pending().await
}

/// A failure to encode, or a panic in code that reads the node's types, is a hole in the feed and no more.
fn forward(shim: &Shim, notification: &ExExNotification, most_blocks: usize) {
    let outcome = catch_unwind(AssertUnwindSafe(|| try_forward(shim, notification, most_blocks)));
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => shim.feed_broken(&error.to_string()),
        Err(panic) => shim.feed_broken(&format!("the notification could not be read: {}", words_of(&*panic))),
    }
}

fn try_forward(shim: &Shim, notification: &ExExNotification, most_blocks: usize) -> Result<(), EncodeError> {
    let (old, new) = (notification.reverted_chain(), notification.committed_chain());
    let blocks = |chain: &Option<Arc<Chain>>| chain.as_ref().map_or(0, |chain| chain.len());
    if blocks(&old).max(blocks(&new)) > most_blocks {
        shim.feed_broken(&format!(
            "{} blocks undone and {} new in one notification",
            blocks(&old),
            blocks(&new)
        ));
        return Ok(());
    }
    shim.notify(ChainNotification {
        undo: old.as_deref().map_or_else(Vec::new, refs_of),
        blocks: new.as_deref().map(encode_chain).transpose()?.unwrap_or_default(),
    });
    if shim.has_remote_subscribers() {
        shim.notify_remote(old.as_deref().map(remote_chain), new.as_deref().map(remote_chain));
    }
    Ok(())
}

fn finish<Node: FullNodeComponents>(ctx: &ExExContext<Node>, height: BlockRef) {
    let BlockRef { number, hash } = height;
    // Its manager is gone only when the node is.
    if ctx.send_finished_height((number, hash).into()).is_err() {
        error!(%height, "the node takes no heights any more");
    }
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no words")
}
