//! Who a caller is.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tonic::metadata::MetadataMap;

use crate::error::{ErrorCode, ExExError};

/// What a caller has shown itself to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    /// None: any consumer.
    consumer_id: Option<String>,
}

impl Caller {
    /// Refuses a consumer that the caller's token is not bound to.
    pub(crate) fn check(&self, consumer_id: &str) -> Result<(), ExExError> {
        match &self.consumer_id {
            Some(bound) if bound != consumer_id => Err(ExExError::new(
                ErrorCode::Forbidden,
                "consumer id",
                format!("{bound}, which the token is bound to"),
                consumer_id,
            )),
            _ => Ok(()),
        }
    }
}

/// Bearer tokens. The tokens themselves are not kept, only their digests.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    known: Vec<([u8; 32], Option<String>)>,
    required: bool,
}

impl Tokens {
    /// Reads lines `token` or `consumer-id:token`; empty lines and lines that begin with `#` are skipped. Where there are none,
    /// nobody is let in; `Tokens::default()` lets everybody in.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let known = lines.map(|line| match line.split_once(':') {
            Some((consumer_id, token)) => (digest(token), Some(consumer_id.to_owned())),
            None => (digest(line), None),
        });
        Self { known: known.collect(), required: true }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(crate) fn authenticate(&self, metadata: &MetadataMap) -> Result<Caller, ExExError> {
        if !self.required {
            return Ok(Caller::default());
        }
        let header = metadata.get("authorization").and_then(|value| value.to_str().ok());
        let given = header.and_then(|header| {
            let (scheme, token) = header.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
        });
        let offered = digest(given.unwrap_or_default());
        // Every token is compared, in constant time each: how long it takes tells nothing of which one nearly matched.
        let mut caller = None;
        for (expected, consumer_id) in &self.known {
            if bool::from(offered.ct_eq(expected)) && given.is_some() {
                caller = Some(Caller { consumer_id: consumer_id.clone() });
            }
        }
        caller.ok_or_else(|| {
            let actual = if given.is_none() { "no token" } else { "a token it does not know" };
            ExExError::new(
                ErrorCode::Unauthenticated,
                "metadata authorization",
                "`Bearer` and a token this server knows",
                actual,
            )
        })
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
