//! A web shop that cancels an order unless it is paid in time, also if the shop was down meanwhile. See `README.md`.

mod shop;

use std::time::Duration;

use shop::Shop;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Opening the store blocks for a moment.
    let open = || Shop::open("shop".as_ref(), Duration::from_secs(30 * 60), clockbox::Clock::system());
    let shop = tokio::task::spawn_blocking(open).await??;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("the shop is open at http://{}", listener.local_addr()?);
    let scheduler = shop.scheduler().clone();
    tokio::select! {
        served = axum::serve(listener, shop.router()) => served?,
        ended = scheduler.serve().stop_on_ctrl_c() => ended?,
    }
    scheduler.stopped().await;
    Ok(())
}
