//! What does a request cost a bare hyper server on smol? Two workers, 16 bytes for every request.
//!
//! `cargo run --release -p yardsticks --bin hyper-smol -- 127.0.0.1:8080`

use std::convert::Infallible;
use std::env;
use std::future;
use std::io;
use std::thread;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use smol::Executor;
use smol::net::TcpListener;
use smol_hyper::rt::FuturesIo;

const WORKERS: usize = 2;

static EXECUTOR: Executor<'static> = Executor::new();

fn main() -> io::Result<()> {
    let address = env::args().nth(1).expect("give the address to listen on");
    for _ in 0..WORKERS {
        thread::spawn(|| smol::block_on(EXECUTOR.run(future::pending::<()>())));
    }
    smol::block_on(EXECUTOR.spawn(accept(address)))
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
        EXECUTOR.spawn(conversation).detach();
    }
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"0123456789abcdef"))))
}
