//! What does a request cost a bare hyper server on async-std? Two workers, 16 bytes for every
//! request.
//!
//! `cargo run --release -p yardsticks --bin hyper-async-std -- 127.0.0.1:8080`
//!
//! The adapter is smol's: it takes every stream that has the traits of `futures-io`.

use std::convert::Infallible;
use std::env;
use std::io;

use async_global_executor::GlobalExecutorConfig;
use async_std::net::TcpListener;
use async_std::task;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use smol_hyper::rt::FuturesIo;

const WORKERS: usize = 2;

fn main() -> io::Result<()> {
    let address = env::args().nth(1).expect("give the address to listen on");
    // async-std's runtime; it leaves alone what has been started before.
    let config = GlobalExecutorConfig::default().with_min_threads(WORKERS);
    async_global_executor::init_with_config(config.with_max_threads(WORKERS));
    task::block_on(task::spawn(accept(address)))
}

async fn accept(address: String) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let conversation =
            http1::Builder::new().serve_connection(FuturesIo::new(stream), service_fn(hello));
        // Ends when the client hangs up, which is the client's affair.
        task::spawn(conversation);
    }
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"0123456789abcdef"))))
}
