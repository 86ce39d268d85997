//! (to be written)

mod filter;
mod matrix;

pub use filter::{Filter, InvalidPattern};
pub use matrix::{Leg, MatrixError, expand_matrix, strategy_context};
