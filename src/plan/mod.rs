//! What a run will do, before it does anything: which jobs, in which legs, in which
//! order, in which place, and what stands in the way.
//!
//! Pure: documents, the event and a selection go in, a [`Plan`] comes out. No clock, no
//! disk, no store.

mod calls;
mod checkout;
mod decided;
mod ends;
mod expand;
mod failing;
mod filter;
pub mod github_event;
mod judged;
mod make;
mod matrix;
mod obstacle;
mod placement;
mod select;
mod started;

pub use calls::{CalledJobs, PlannedCall};
pub use checkout::{CheckoutInputs, NotARepository, Sparse, Submodules};
pub use decided::{Facts, decided_false};
pub use expand::{ExpandError, PlannedLeg, expand};
pub use failing::JobFailure;
pub use filter::{Filter, InvalidPattern};
pub use judged::{JudgedFilter, JudgedName, JudgedPattern};
pub use make::{Plan, PlanError, PlannedJob, SkippedStep, plan};
pub use matrix::{Leg, MatrixError, expand_matrix, strategy_context};
pub use obstacle::{Obstacle, ObstacleKind};
pub use placement::Placement;
pub use select::{Selection, UnknownJob};
pub use started::{Change, Start, filters_paths, is_of_default_branch};
