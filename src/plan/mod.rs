//! What a run will do, before it does anything: which jobs, in which legs, in which
//! order, in which place, and what stands in the way.
//!
//! Pure: documents, the event and a selection go in, a [`Plan`] comes out. No clock, no
//! disk, no store.

mod calls;
mod checkout;
mod checkouts;
mod decided;
mod ends;
mod expand;
mod failing;
mod filter;
pub mod github_event;
mod in_containers;
mod in_the_way;
mod judged;
mod left_out;
mod make;
mod matrix;
mod missing;
mod obstacle;
mod permitted;
mod placement;
mod reads;
mod select;
mod side_effect;
mod started;
mod uses;

pub use calls::{CalledJobs, PlannedCall, plan_call_of};
pub use checkout::{CheckoutInputs, NotARepository, Sparse, Submodules};
pub use checkouts::OtherCheckout;
pub use decided::{Facts, decided_false};
pub use expand::{ExpandError, PlannedLeg, expand};
pub use failing::JobFailure;
pub use filter::{Filter, InvalidPattern};
pub use in_containers::InContainers;
pub use judged::{JudgedFilter, JudgedName, JudgedPattern};
pub use left_out::{LeftOut, why_reader};
pub use make::{Plan, PlanError, PlannedJob, SkippedStep, plan};
pub use matrix::{Leg, MatrixError, expand_matrix, strategy_context};
pub use missing::{MissingSecret, missing_secrets};
pub use obstacle::{Obstacle, ObstacleKind};
pub use permitted::Permitted;
pub use placement::Placement;
pub use reads::{
    of_step as references_of_step, of_token as references_of_token, read_member, secret,
};
pub use select::{Selection, UnknownJob};
pub use side_effect::{
    Circumstances, Does, Input, Judged, SideEffect, is_read, of_action, of_script,
};
pub use started::{Change, Start, filters_paths, is_of_default_branch};
pub use uses::Used;
