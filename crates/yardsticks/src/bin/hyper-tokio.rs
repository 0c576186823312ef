//! What does a request cost a bare hyper server on tokio? Two workers, 16 bytes for every request.
//!
//! `cargo run --release -p yardsticks --bin hyper-tokio -- 127.0.0.1:8080`

use std::convert::Infallible;
use std::env;
use std::io;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

const WORKERS: usize = 2;

fn main() -> io::Result<()> {
    let address = env::args().nth(1).expect("give the address to listen on");
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    runtime.block_on(runtime.spawn(accept(address)))?
}

async fn accept(address: String) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let conversation =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello));
        // Ends when the client hangs up, which is the client's affair.
        tokio::spawn(conversation);
    }
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"0123456789abcdef"))))
}
