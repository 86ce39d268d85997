//! What a user does to a running lrun.

use std::sync::mpsc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::failure::tell;
use crate::exec::Canceller;
use crate::report::Wiper;

/// How long a terminal gets to take what is drawn on it away: it may be stopped.
const WIPING: Duration = Duration::from_millis(200);

/// What is said at once: steps that are cancelled get seconds to end.
const CANCELLING: &str = "cancelling; press Ctrl-C again to end at once";

#[expect(
    clippy::exit,
    reason = "the user asked twice: nothing is waited for any more"
)]
/// The first interrupt, terminate or hang-up ends the run as the runner ends a cancelled one;
/// a second one ends lrun at once, and with it every place.
pub(super) fn cancel_on_interrupt(canceller: Canceller, wiper: Option<Wiper>) {
    tokio::spawn(async move {
        if next_interrupt().await {
            canceller.cancel();
            let wiper = wiper.clone();
            // A terminal may be stopped.
            std::thread::spawn(move || match wiper {
                Some(wiper) => wiper.notice(CANCELLING),
                None => tell(CANCELLING),
            });
        }
        if next_interrupt().await {
            if let Some(wiper) = wiper {
                wipe(wiper);
            }
            std::process::exit(super::exit::ExitCode::Interrupted as i32);
        }
    });
}

fn wipe(wiper: Wiper) {
    let (done, wiped) = mpsc::channel();
    std::thread::spawn(move || {
        wiper.wipe();
        // Whoever waited may have given up.
        let _ = done.send(());
    });
    let _ = wiped.recv_timeout(WIPING);
}

/// False when signals cannot be had: lrun then dies of them, and its places with it.
async fn next_interrupt() -> bool {
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else {
        return false;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    true
}
