//! Other repositories that jobs check out, fetched before anything starts.

use std::sync::Arc;

use crate::exec::Run;
use crate::exec::workspace;
use crate::plan::{Obstacle, ObstacleKind, OtherCheckout, Plan};

/// Fetches what steps check out of other repositories, all beside each other.
/// Gives everything that cannot be had. A ref that the repository lacks is not among it: its step
/// fails, as on GitHub.
pub(super) fn fetch(run: &Run, plan: &Plan) -> Vec<Obstacle> {
    let wanted = plan.other_checkouts();
    let fetched: Vec<_> = std::thread::scope(|scope| {
        let fetching: Vec<_> = wanted
            .iter()
            .map(|wanted| scope.spawn(|| workspace::fetch_ahead(&run.source(), &wanted.inputs)))
            .collect();
        fetching.into_iter().map(|thread| thread.join()).collect()
    });
    let mut obstacles = Vec::new();
    for (wanted, fetched) in wanted.iter().zip(fetched) {
        match fetched {
            Ok(Ok(())) => {}
            Ok(Err(error)) if error.fails_on_github() => {}
            Ok(Err(error)) => obstacles.push(obstacle(wanted, &error.to_string())),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    obstacles
}

fn obstacle(wanted: &OtherCheckout, why: &str) -> Obstacle {
    Obstacle {
        source: Arc::clone(&wanted.source),
        span: wanted.span,
        job: wanted.job.clone(),
        kind: ObstacleKind::Checkout {
            repository: wanted.repository.clone(),
            why: why.to_owned(),
        },
    }
}
