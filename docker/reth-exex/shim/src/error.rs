//! Everything that can go wrong on the wire, by code; the words and codes of `sidecar/exex/errors.ts`.

use tonic::{Code, Status};

use crate::chain::ReadError;

/// A code of the wire's closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// What arrived does not have the form it should.
    Malformed,
    /// No protocol version in common.
    VersionMismatch,
    /// The consumer belongs to another chain.
    ChainMismatch,
    /// The consumer belongs to another genesis block.
    GenesisMismatch,
    /// No token, or one that is not known.
    Unauthenticated,
    /// A token of another consumer.
    Forbidden,
    /// A consumer id that is not one.
    BadConsumerId,
    /// What was asked for cannot be had.
    BadRequest,
    /// An acknowledgement of a block that never was in this stream.
    BadAck,
    /// The node has forgotten what comes next.
    HistoryPruned,
    /// The chains do not meet above what the consumer holds for final.
    Resync,
    /// A newer session of the consumer took over.
    Fenced,
    /// The chain changed below everything the session knows.
    ChainMoved,
    /// A call for consumers without a session.
    SessionOpen,
    /// The client said nothing for too long.
    Silence,
    /// The server is shutting down.
    GoingAway,
    /// A passing trouble.
    Unavailable,
}

impl ErrorCode {
    /// The code as it travels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "MALFORMED",
            Self::VersionMismatch => "VERSION_MISMATCH",
            Self::ChainMismatch => "CHAIN_MISMATCH",
            Self::GenesisMismatch => "GENESIS_MISMATCH",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadConsumerId => "BAD_CONSUMER_ID",
            Self::BadRequest => "BAD_REQUEST",
            Self::BadAck => "BAD_ACK",
            Self::HistoryPruned => "HISTORY_PRUNED",
            Self::Resync => "RESYNC",
            Self::Fenced => "FENCED",
            Self::ChainMoved => "CHAIN_MOVED",
            Self::SessionOpen => "SESSION_OPEN",
            Self::Silence => "SILENCE",
            Self::GoingAway => "GOING_AWAY",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    /// The gRPC status a stream is closed with.
    pub const fn status(self) -> Code {
        match self {
            Self::Malformed | Self::BadConsumerId | Self::BadRequest | Self::BadAck => Code::InvalidArgument,
            Self::VersionMismatch | Self::ChainMismatch | Self::GenesisMismatch | Self::Resync => {
                Code::FailedPrecondition
            }
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Forbidden => Code::PermissionDenied,
            Self::HistoryPruned => Code::OutOfRange,
            Self::Fenced | Self::ChainMoved | Self::SessionOpen => Code::Aborted,
            Self::Silence => Code::DeadlineExceeded,
            Self::GoingAway | Self::Unavailable => Code::Unavailable,
        }
    }
}

/// A failure of the wire: where it was seen, what was expected there, what came, and what to do about it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{place}: expected {expected}, got {actual}.{advice}")]
pub struct ExExError {
    /// What kind.
    pub code: ErrorCode,
    /// Field or part where it was seen.
    pub place: String,
    /// What should have come.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// What to do about it, with a leading space, or nothing.
    advice: String,
}

impl ExExError {
    pub(crate) fn new(
        code: ErrorCode,
        place: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Self {
        Self {
            code,
            place: place.into(),
            expected: expected.into(),
            actual: actual.into(),
            advice: String::new(),
        }
    }

    pub(crate) fn advise(mut self, advice: &str) -> Self {
        self.advice = format!(" {advice}");
        self
    }

    pub(crate) fn malformed(place: &str, expected: &str, actual: impl Into<String>) -> Self {
        Self::new(ErrorCode::Malformed, place, expected, actual)
    }
}

impl From<ReadError> for ExExError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Pruned { number, oldest_block } => Self::new(
                ErrorCode::HistoryPruned,
                "history",
                format!("a block at or above {oldest_block}, the oldest that can be served"),
                format!("block {number}"),
            )
            .advise("Attach to a node with older history, or start at a later block."),
            ReadError::Failed(words) => Self::new(ErrorCode::Unavailable, "node", "an answer", words),
        }
    }
}

impl From<ExExError> for Status {
    fn from(error: ExExError) -> Self {
        Self::new(error.code.status(), format!("{}: {error}", error.code.name()))
    }
}
