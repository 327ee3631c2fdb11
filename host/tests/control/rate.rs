//! Peers that ask too much.

use std::num::NonZeroU32;

use clockbox::control::Hooks;
use serde_json::Value;

use crate::support::Host;

#[test]
fn a_peer_that_asks_too_much_is_told_when_to_come_back_and_the_socket_is_not_slowed_down() {
    let host = Host::start_with(|settings| settings.rate_limit = NonZeroU32::new(1), |_, _| Hooks::default());
    let mut far = host.tcp_client();
    // So many a second would be needed for none of them to be too many.
    let asked = (0..100).map(|_| far.send("GET", "/v1/pools", Value::Null));
    let problem = asked.filter_map(Result::err).next().expect("none was refused");
    assert_eq!((problem.status, problem.code()), (429, "too-many"));
    let mut near = host.client();
    for _ in 0..100 {
        near.get("/v1/pools");
    }
}
