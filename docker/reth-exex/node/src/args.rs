//! The flags `--exex.*`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use eyre::{WrapErr, bail};
use monmouth_exex_shim::{Limits, Listen, ServerOptions, Tls, Tokens};

/// How the chain is served.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "ExEx")]
pub struct ExExArgs {
    /// Where consumers connect: an address, or a unix socket as unix:/path.
    #[arg(
        long = "exex.listen",
        env = "EXEX_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:50051"
    )]
    listen: Listen,

    /// The server's certificate chain, PEM. With --exex.tls-key.
    #[arg(
        id = "exex.tls-cert",
        long = "exex.tls-cert",
        env = "EXEX_TLS_CERT",
        value_name = "FILE",
        requires = "exex.tls-key"
    )]
    tls_cert: Option<PathBuf>,

    /// The server's key, PEM.
    #[arg(
        id = "exex.tls-key",
        long = "exex.tls-key",
        env = "EXEX_TLS_KEY",
        value_name = "FILE",
        requires = "exex.tls-cert"
    )]
    tls_key: Option<PathBuf>,

    /// The authority that certificates of consumers must come from, PEM: they then need one.
    #[arg(
        long = "exex.tls-client-ca",
        env = "EXEX_TLS_CLIENT_CA",
        value_name = "FILE",
        requires = "exex.tls-cert"
    )]
    tls_client_ca: Option<PathBuf>,

    /// Bearer tokens, one a line: `token` for any consumer, or `consumer-id:token` for one; lines with # are skipped.
    #[arg(id = "exex.token-file", long = "exex.token-file", env = "EXEX_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Listen on an address that others reach though there are neither tokens nor client certificates: who gets a
    /// connection can then hold back what the node prunes.
    #[arg(id = "exex.insecure", long = "exex.insecure", env = "EXEX_INSECURE")]
    insecure: bool,

    /// Serve gRPC reflection.
    #[arg(id = "exex.reflection", long = "exex.reflection", env = "EXEX_REFLECTION")]
    reflection: bool,

    /// Latest blocks kept in memory for delivery. Who is further behind reads from the node's database.
    #[arg(id = "exex.ring-blocks", long = "exex.ring-blocks", value_name = "BLOCKS", default_value_t = Limits::default().ring_blocks)]
    ring_blocks: usize,

    /// Bytes of the latest blocks kept in memory for delivery.
    #[arg(id = "exex.ring-bytes", long = "exex.ring-bytes", value_name = "BYTES", default_value_t = Limits::default().ring_bytes)]
    ring_bytes: usize,

    /// Sessions at once.
    #[arg(id = "exex.max-sessions", long = "exex.max-sessions", value_name = "SESSIONS", default_value_t = Limits::default().max_sessions)]
    max_sessions: usize,

    /// Largest frame sent, bytes; a consumer may ask for less.
    #[arg(id = "exex.max-frame-bytes", long = "exex.max-frame-bytes", value_name = "BYTES", default_value_t = Limits::default().max_frame_bytes,
          value_parser = clap::value_parser!(u32).range(4096..))]
    max_frame_bytes: u32,

    /// Blocks a durable consumer may let pass without progress before it no longer holds back what the node prunes.
    #[arg(id = "exex.evict-after-blocks", long = "exex.evict-after-blocks", value_name = "BLOCKS", default_value_t = Limits::default().evict_after_blocks)]
    evict_after_blocks: u64,

    /// Blocks below the head that count as final as long as the node knows of no finalized block.
    #[arg(id = "exex.finality-depth", long = "exex.finality-depth", value_name = "BLOCKS", default_value_t = Limits::default().finality_depth)]
    finality_depth: u64,
}

impl ExExArgs {
    /// Where and to whom the chain is served, with the files read.
    pub fn server_options(&self) -> eyre::Result<ServerOptions> {
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(Tls {
                certificate: read("--exex.tls-cert", certificate)?,
                key: read("--exex.tls-key", key)?,
                client_ca: self
                    .tls_client_ca
                    .as_deref()
                    .map(|file| read("--exex.tls-client-ca", file))
                    .transpose()?,
            }),
            _ => None,
        };
        let tokens = match &self.token_file {
            Some(file) => {
                let text = String::from_utf8(read("--exex.token-file", file)?)
                    .wrap_err_with(|| format!("--exex.token-file {}: expected text", file.display()))?;
                let tokens = Tokens::parse(&text);
                if tokens.is_empty() {
                    bail!("--exex.token-file {}: expected a token a line, got none", file.display());
                }
                tokens
            }
            None => Tokens::default(),
        };
        let checks_callers = self.token_file.is_some() || self.tls_client_ca.is_some();
        if let Listen::Tcp(address) = &self.listen
            && is_reached_by_others(address)
            && !checks_callers
            && !self.insecure
        {
            bail!(
                "--exex.listen {address}: expected tokens (--exex.token-file) or client certificates (--exex.tls-client-ca) on \
                 an address that others reach, got neither. Set one, listen on 127.0.0.1 or a unix socket, or say --exex.insecure"
            );
        }
        Ok(ServerOptions { listen: self.listen.clone(), tls, tokens, reflection: self.reflection })
    }

    /// The bounds asked for.
    pub fn limits(&self) -> Limits {
        Limits {
            ring_blocks: self.ring_blocks,
            ring_bytes: self.ring_bytes,
            max_sessions: self.max_sessions,
            max_frame_bytes: self.max_frame_bytes,
            evict_after_blocks: self.evict_after_blocks,
            finality_depth: self.finality_depth,
            ..Limits::default()
        }
    }
}

fn read(flag: &str, file: &Path) -> eyre::Result<Vec<u8>> {
    std::fs::read(file)
        .wrap_err_with(|| format!("{flag} {}: expected a file that can be read", file.display()))
}

fn is_reached_by_others(address: &SocketAddr) -> bool {
    !address.ip().is_loopback()
}
