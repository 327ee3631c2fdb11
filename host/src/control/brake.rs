//! How many requests one peer may send: so many a second, and twice as many at once.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::NoOpMiddleware,
    state::keyed::HashMapStateStore,
};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};

use super::problem::Problem;

/// Peers that are remembered before those are forgotten that have been quiet.
const MOST_PEERS: usize = 4096;

/// Who is at the other end of a connection, over TCP.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

type Limiter<C> = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// Slows down peers that ask too much. Clones are the same one.
pub(super) struct Brake<C: Clock = MonotonicClock> {
    limiter: Arc<Limiter<C>>,
    clock: C,
}

impl<C: Clock + Clone> Clone for Brake<C> {
    fn clone(&self) -> Self {
        Self { limiter: Arc::clone(&self.limiter), clock: self.clock.clone() }
    }
}

impl Brake {
    /// So many requests a second.
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self::with_clock(per_second, MonotonicClock)
    }
}

impl<C: Clock + Clone> Brake<C> {
    fn with_clock(per_second: NonZeroU32, clock: C) -> Self {
        let quota = Quota::per_second(per_second)
            .allow_burst(per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
        Self { limiter: Arc::new(RateLimiter::hashmap_with_clock(quota, clock.clone())), clock }
    }

    /// Lets a request through, or says after how long another one would be.
    fn check(&self, peer: IpAddr) -> Result<(), Duration> {
        if self.limiter.len() > MOST_PEERS {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&network(peer)).map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

/// What one peer has at its disposal: an address, or the network that IPv6 gives to each.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Lets a request through, or says when to come back. Whoever comes by the socket is not slowed down.
pub(super) async fn slow_down(State(brake): State<Brake>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    match peer.map_or(Ok(()), |Peer(peer)| brake.check(peer)) {
        Ok(()) => next.run(request).await,
        Err(wait) => refusal(wait),
    }
}

fn refusal(wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many", "too many requests from one place");
    let hint = "wait as long as Retry-After says; [server] rate_limit in the manifest says how many there may be a second";
    let mut response = problem.hint(hint).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn a_peer_that_asks_too_much_waits_and_the_others_do_not() {
        let clock = FakeRelativeClock::default();
        let brake = Brake::with_clock(NonZeroU32::new(10).unwrap(), clock.clone());
        let (one, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..20 {
            assert_eq!(brake.check(one), Ok(()));
        }
        let wait = brake.check(one).unwrap_err();
        assert!(wait <= Duration::from_millis(100), "{wait:?}");
        assert_eq!(brake.check("::ffff:192.0.2.1".parse().unwrap()), Err(wait), "by another name");
        assert_eq!(brake.check(other), Ok(()));
        clock.advance(wait);
        assert_eq!(brake.check(one), Ok(()));
        assert!(brake.check(one).is_err());
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_peer_and_the_quiet_are_forgotten() {
        let clock = FakeRelativeClock::default();
        let brake = Brake::with_clock(NonZeroU32::MIN, clock.clone());
        let ask = |text: String| brake.check(text.parse().unwrap());
        assert!(ask("2001:db8::1".into()).is_ok() && ask("2001:db8::2".into()).is_ok());
        assert!(ask("2001:db8::3".into()).is_err());
        assert!(ask("2001:db8:0:1::3".into()).is_ok());
        for n in 0..2 * MOST_PEERS {
            clock.advance(Duration::from_secs(5));
            assert!(ask(format!("10.0.{}.{}", n / 256, n % 256)).is_ok());
        }
        assert!(brake.limiter.len() <= MOST_PEERS + 1);
    }
}
