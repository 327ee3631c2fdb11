//! Orders, and what becomes of those that nobody pays.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path as At, State},
    http::StatusCode,
    routing::{get, post},
};
use clockbox::{Clock, Grace, Job, JobError, Rejection, Running, Scheduler, SchedulerError, StartError};
use serde::{Deserialize, Serialize};

/// What the job that cancels an order is given.
#[derive(Serialize, Deserialize)]
struct Cancel {
    order: u64,
}

/// The shop. Its orders are files here, and rows in a real one.
#[derive(Clone)]
pub(crate) struct Shop {
    orders: Orders,
    scheduler: Scheduler,
    time_to_pay: Duration,
}

impl Shop {
    /// Opens the shop in a folder: what was due while it was closed is done at once.
    pub(crate) fn open(folder: &Path, time_to_pay: Duration, clock: Clock) -> Result<Self, StartError> {
        fs::create_dir_all(folder)?;
        let orders = Orders(Arc::new(Mutex::new(folder.to_owned())));
        let cancelled = orders.clone();
        let scheduler = Scheduler::builder()
            .clock(clock)
            .store_in("sqlite:jobs.db", folder)
            .native_fn("cancel-order", move |cancel: Cancel, run| {
                let orders = cancelled.clone();
                async move {
                    // Paid and due at the same moment: who has the lock first decides.
                    let state = orders.change(cancel.order, "cancelled")?;
                    run.info(format!("order {} is {state}", cancel.order));
                    Ok::<_, JobError>(state)
                }
            })
            .start()?;
        Ok(Self { orders, scheduler, time_to_pay })
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/orders/{order}", get(show).post(place))
            .route("/orders/{order}/pay", post(pay))
            .with_state(self)
    }
}

async fn show(State(shop): State<Shop>, At(order): At<u64>) -> Result<Json<String>, Refused> {
    let state = shop.orders.read(order).map_err(broken)?;
    state.map(Json).ok_or((StatusCode::NOT_FOUND, "there is no such order".to_owned()))
}

/// Places an order. The answer comes when the order will be cancelled for certain unless it is paid.
async fn place(State(shop): State<Shop>, At(order): At<u64>) -> Result<(StatusCode, Json<String>), Refused> {
    // However long the shop is closed: an order that nobody paid is cancelled when it opens again.
    let job = Job::new(job_of(order))
        .plugin("cancel-order")
        .args(Cancel { order })
        .after(shop.time_to_pay)
        .misfire_grace(Grace::Forever)
        .retry(10);
    match shop.scheduler.add_job(job).await {
        Err(SchedulerError::Rejected(Rejection::JobExists(_))) => {
            return Err((StatusCode::CONFLICT, "this order was placed already".to_owned()));
        }
        added => added.map_err(broken)?,
    }
    let state = shop.orders.change(order, "open").map_err(broken)?;
    Ok((StatusCode::CREATED, Json(state)))
}

async fn pay(State(shop): State<Shop>, At(order): At<u64>) -> Result<Json<String>, Refused> {
    let state = shop.orders.change(order, "paid").map_err(broken)?;
    if state != "paid" {
        return Err((StatusCode::CONFLICT, format!("this order is {state}")));
    }
    let job = job_of(order).parse().map_err(broken)?;
    match shop.scheduler.remove_job(job, Running::Finish).await {
        // It has just found the order paid, and gone.
        Ok(()) | Err(SchedulerError::Rejected(Rejection::NoSuchJob(_))) => Ok(Json(state)),
        Err(error) => Err(broken(error)),
    }
}

fn job_of(order: u64) -> String {
    format!("cancel-order-{order}")
}

type Refused = (StatusCode, String);

fn broken(error: impl std::fmt::Display) -> Refused {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

#[derive(Clone)]
struct Orders(Arc<Mutex<PathBuf>>);

impl Orders {
    fn read(&self, order: u64) -> Result<Option<String>, OrderError> {
        state(&file(&self.lock(), order)).map_err(OrderError)
    }

    /// Changes an order that is new or open, and answers with what it is then.
    fn change(&self, order: u64, to: &str) -> Result<String, OrderError> {
        let folder = self.lock();
        let file = file(&folder, order);
        match state(&file).map_err(OrderError)? {
            Some(state) if state != "open" => Ok(state),
            None if to == "paid" => Ok("unknown".to_owned()),
            _ => {
                // The file is there as a whole, or not at all.
                let new = file.with_extension("new");
                fs::write(&new, to).and_then(|()| fs::rename(&new, &file)).map_err(OrderError)?;
                Ok(to.to_owned())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, PathBuf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn file(folder: &Path, order: u64) -> PathBuf {
    folder.join(format!("order-{order}"))
}

fn state(file: &Path) -> std::io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(Some),
    }
}

/// Why an order cannot be read or written.
#[derive(Debug)]
struct OrderError(std::io::Error);

impl std::fmt::Display for OrderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the order cannot be read or written: {}", self.0)
    }
}

impl std::error::Error for OrderError {}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use clockbox::{Event, ManualClock};
    use tower::ServiceExt as _;

    use super::*;

    const HALF_AN_HOUR: Duration = Duration::from_secs(1800);

    fn open(folder: &Path, clock: &Clock) -> Shop {
        Shop::open(folder, HALF_AN_HOUR, clock.clone()).unwrap()
    }

    fn clock() -> (Clock, ManualClock) {
        Clock::manual("2030-01-01T12:00:00Z".parse().unwrap())
    }

    async fn call(shop: &Shop, method: &str, path: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let answer = shop.clone().router().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn close(shop: Shop) {
        shop.scheduler.shutdown(Duration::from_secs(10)).await.unwrap();
        shop.scheduler.stopped().await;
    }

    #[tokio::test]
    async fn an_order_that_nobody_pays_is_cancelled_and_one_that_is_paid_is_not() {
        let (folder, (clock, hand)) = (tempfile::tempdir().unwrap(), clock());
        let shop = open(folder.path(), &clock);
        let mut events = shop.scheduler.subscribe();
        assert_eq!(call(&shop, "POST", "/orders/1").await.0, 201);
        assert_eq!(call(&shop, "POST", "/orders/2").await.0, 201);
        assert_eq!(call(&shop, "POST", "/orders/2").await.0, 409);
        hand.advance(HALF_AN_HOUR - Duration::from_secs(1));
        assert_eq!(call(&shop, "POST", "/orders/1/pay").await, (200, "\"paid\"".to_owned()));
        hand.advance(Duration::from_secs(1));
        while !matches!(events.next().await.unwrap().unwrap().event, Event::RunFinished { .. }) {}
        assert_eq!(call(&shop, "GET", "/orders/1").await, (200, "\"paid\"".to_owned()));
        assert_eq!(call(&shop, "GET", "/orders/2").await, (200, "\"cancelled\"".to_owned()));
        assert_eq!(call(&shop, "POST", "/orders/2/pay").await.0, 409);
        close(shop).await;
    }

    #[tokio::test]
    async fn an_order_that_came_due_while_the_shop_was_closed_is_cancelled_when_it_opens() {
        let (folder, (clock, hand)) = (tempfile::tempdir().unwrap(), clock());
        let shop = open(folder.path(), &clock);
        assert_eq!(call(&shop, "POST", "/orders/7").await.0, 201);
        close(shop).await;
        hand.advance(Duration::from_secs(86_400));
        let shop = open(folder.path(), &clock);
        // It may have been cancelled before anybody could listen.
        let mut events = shop.scheduler.subscribe();
        while shop.orders.read(7).unwrap().as_deref() != Some("cancelled") {
            events.next().await.unwrap().unwrap();
        }
        close(shop).await;
    }
}
