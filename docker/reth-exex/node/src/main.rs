//! reth with one ExEx installed: it streams the canonical chain to consumers by `exex.v1`, and tells the node what they no
//! longer need. Everything but the reading of reth's own types is the library `monmouth-exex-shim`.

mod args;
mod blocks;
mod exex;
mod provider;

use args::ExExArgs;
use clap::Parser;
use reth_ethereum::cli::chainspec::EthereumChainSpecParser;
use reth_ethereum::cli::interface::Cli;
use reth_ethereum::node::EthereumNode;

#[global_allocator]
static ALLOC: reth_ethereum::cli::allocator::Allocator = reth_ethereum::cli::allocator::new_allocator();

fn main() {
    reth_ethereum::cli::sigsegv_handler::install();
    let cli = Cli::<EthereumChainSpecParser, ExExArgs>::parse();
    let outcome = cli.run(async move |builder, args| {
        // Read before the node starts: a missing key file stops it here, not when it is half up.
        let options = args.server_options()?;
        let limits = args.limits();
        let handle = builder
            .node(EthereumNode::default())
            .install_exex("monmouth", async move |ctx| exex::start(ctx, limits, options).await)
            // As reth itself: without it a node with --dev makes no blocks.
            .launch_with_debug_capabilities()
            .await?;
        handle.wait_for_node_exit().await
    });
    if let Err(error) = outcome {
        eprintln!("Error: {error:?}");
        std::process::exit(1);
    }
}
