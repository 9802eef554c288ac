use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Completes a future that never waits.
///
/// Inside a component the host's calls complete before they return, and there is nothing else to
/// wait for, so one poll is enough.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!(
            "the plugin awaits something that is not a call of its host: \
             inside a component nothing else ever completes"
        ),
    }
}
