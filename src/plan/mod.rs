//! (to be written)

mod filter;
pub mod github_event;
mod matrix;

pub use filter::{Filter, InvalidPattern};
pub use matrix::{Leg, MatrixError, expand_matrix, strategy_context};
