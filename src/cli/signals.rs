//! What a user does to a running lrun, and what the terminal is like.

use tokio::signal::unix::{SignalKind, signal};

use crate::exec::Canceller;

#[expect(
    clippy::exit,
    reason = "the user asked twice: nothing is waited for any more"
)]
/// The first interrupt, terminate or hang-up ends the run as the runner ends a cancelled one;
/// a second one ends lrun at once, and with it every place.
pub(super) fn cancel_on_interrupt(canceller: Canceller) {
    tokio::spawn(async move {
        if next_interrupt().await {
            canceller.cancel();
        }
        if next_interrupt().await {
            std::process::exit(super::exit::ExitCode::Interrupted as i32);
        }
    });
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

/// Columns of the terminal on standard output; none when it is none.
pub(super) fn terminal_width() -> Option<u16> {
    use std::io::IsTerminal as _;
    std::io::stdout().is_terminal().then(|| {
        terminal_size::terminal_size().map_or(100, |(terminal_size::Width(columns), _)| columns)
    })
}
