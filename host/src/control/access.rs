//! Who may do what.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use clockbox_core::model::Secret;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::problem::Problem;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Look.
    Reader,
    /// Look and change.
    Operator,
}

/// How requests that come in at one door are told apart.
#[derive(Debug, Clone)]
pub(super) enum Door {
    /// The socket: the file system says who may open it.
    Socket,
    /// TCP.
    Tcp(Arc<Tokens>),
}

/// The tokens that open a door; without any, whoever reaches it may do anything.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    operator: Option<[u8; 32]>,
    reader: Option<[u8; 32]>,
    /// Who has no token is let in from a loopback address only by its own name: a page in a browser cannot be.
    is_loopback: bool,
}

impl Tokens {
    pub(super) fn new(operator: Option<&Secret>, reader: Option<&Secret>, is_loopback: bool) -> Self {
        let digest = |secret: &Secret| Sha256::digest(secret.expose()).into();
        Self { operator: operator.map(digest), reader: reader.map(digest), is_loopback }
    }

    fn are_needed(&self) -> bool {
        self.operator.is_some() || self.reader.is_some()
    }

    /// What a token is good for. The time that this takes says nothing about how much of it is right.
    fn role(&self, token: &str) -> Option<Role> {
        let given: [u8; 32] = Sha256::digest(token).into();
        let is = |wanted: &Option<[u8; 32]>| {
            wanted.as_ref().is_some_and(|wanted| bool::from(wanted.ct_eq(&given)))
        };
        let (operator, reader) = (is(&self.operator), is(&self.reader));
        match (operator, reader) {
            (true, _) => Some(Role::Operator),
            (false, true) => Some(Role::Reader),
            (false, false) => None,
        }
    }
}

impl Door {
    fn role(&self, headers: &HeaderMap) -> Result<Role, Problem> {
        let tokens = match self {
            Self::Socket => return Ok(Role::Operator),
            Self::Tcp(tokens) => tokens,
        };
        if !tokens.are_needed() {
            if tokens.is_loopback && !is_asked_for_by_address(headers) {
                let detail =
                    "without a token, this host answers only under its loopback address or localhost";
                return Err(Problem::new(StatusCode::FORBIDDEN, "foreign-host", detail));
            }
            return Ok(Role::Operator);
        }
        let unknown = |detail| {
            Problem::new(StatusCode::UNAUTHORIZED, "no-token", detail).hint(
                "send the header Authorization: Bearer TOKEN, with the token of [server] in the manifest",
            )
        };
        let said = headers.get(AUTHORIZATION).ok_or_else(|| unknown("a token is needed here"))?;
        let token = said.to_str().ok().and_then(|said| {
            let (scheme, token) = said.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let role = token.and_then(|token| tokens.role(token));
        role.ok_or_else(|| unknown("the token is not one that this host knows"))
    }
}

/// Whether the request names a loopback address or `localhost`: one that a page had sent through a name of its own would
/// name that.
fn is_asked_for_by_address(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let plain = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || plain.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Lets a request through, or says why not.
pub(super) async fn admit(State(door): State<Door>, request: Request, next: Next) -> Response {
    match check(&door, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            let is_unknown = problem.status == StatusCode::UNAUTHORIZED.as_u16();
            let mut response = problem.into_response();
            if is_unknown {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            response
        }
    }
}

fn check(door: &Door, request: &Request) -> Result<(), Problem> {
    // Pages of other sites have no business here, and are told so before anything is done: there is no CORS.
    if request.headers().contains_key(ORIGIN) && matches!(door, Door::Tcp(_)) {
        let detail = "requests of web pages are not answered";
        return Err(Problem::new(StatusCode::FORBIDDEN, "web-page", detail));
    }
    // Signs of life are for anybody.
    if request.uri().path().starts_with("/health/") {
        return Ok(());
    }
    let needed =
        if matches!(*request.method(), Method::GET | Method::HEAD) { Role::Reader } else { Role::Operator };
    if door.role(request.headers())? < needed {
        let detail = "this token is good for looking only";
        return Err(Problem::new(StatusCode::FORBIDDEN, "read-only", detail)
            .hint("changes need the token of [server] token"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use clockbox_core::model::SecretAs;

    use super::*;

    fn ask(door: &Door, method: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method).uri("/v1/jobs");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(door, &request.body(Body::empty()).unwrap()).map_or_else(|problem| problem.status, |()| 200)
    }

    fn tcp(operator: Option<&str>, reader: Option<&str>, is_loopback: bool) -> Door {
        let secret = |text: &str| Secret::new(text, SecretAs::Config);
        let (operator, reader) = (operator.map(secret), reader.map(secret));
        Door::Tcp(Arc::new(Tokens::new(operator.as_ref(), reader.as_ref(), is_loopback)))
    }

    #[test]
    fn a_token_opens_what_it_is_good_for() {
        let door = tcp(Some("operator-token"), Some("reader-token"), false);
        let with = |method, token: &str| ask(&door, method, &[("authorization", &format!("Bearer {token}"))]);
        assert_eq!((with("GET", "operator-token"), with("POST", "operator-token")), (200, 200));
        assert_eq!((with("GET", "reader-token"), with("POST", "reader-token")), (200, 403));
        assert_eq!((with("GET", "operator-tokem"), ask(&door, "GET", &[])), (401, 401));
        assert_eq!(ask(&door, "GET", &[("authorization", "operator-token")]), 401);
        assert_eq!(ask(&Door::Socket, "DELETE", &[]), 200);
    }

    #[test]
    fn a_page_in_a_browser_gets_nowhere() {
        let door = tcp(None, None, true);
        assert_eq!(ask(&door, "GET", &[("host", "127.0.0.1:7878")]), 200);
        assert_eq!(ask(&door, "GET", &[("host", "[::1]:7878")]), 200);
        assert_eq!(ask(&door, "POST", &[("host", "localhost")]), 200);
        // A name of its own that was made to resolve to this machine.
        assert_eq!(ask(&door, "GET", &[("host", "evil.example:7878")]), 403);
        assert_eq!(ask(&door, "GET", &[]), 403);
        assert_eq!(ask(&door, "POST", &[("host", "localhost"), ("origin", "https://evil.example")]), 403);
    }
}
