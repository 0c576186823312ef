//! `echo`: a TCP server that sends every byte back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::random::{fill, mix};
use crate::{
    Census, Class, Definition, Digest, Limit, Load, Metric, Profile, Service, Spec, params,
};

const HEADER: usize = 24;

/// The service `echo`.
#[derive(Debug)]
pub struct Echo {
    params: EchoParams,
    open: AtomicUsize,
    census: Census,
}

params! {
    /// The parameters of `echo`.
    pub struct EchoParams {
        /// connections kept open; the server refuses more
        pub connections: u64 in 1..=1_000_000,
        /// size of a message, bytes
        pub message_bytes: u64 in HEADER as u64..=65_536,
        /// messages sent and received in one run, over all connections
        pub round_trips: u64 in 1..=100_000_000,
    }
}

impl EchoParams {
    /// Messages that each connection sends in one run, one after the other; at least 1.
    pub fn round_trips_each(&self) -> u64 {
        (self.round_trips / self.connections).max(1)
    }
}

impl Definition for Echo {
    const SPEC: Spec = Spec {
        name: "echo",
        class: Class::Io,
        question: "What does a server pay for a small message there and back, by connections?",
        operation: "round trip",
        metric: Metric::CpuPerOperation,
    };
    type Params = EchoParams;

    fn cases(profile: Profile) -> Vec<EchoParams> {
        let sizes: &[(u64, u64)] = match profile {
            Profile::Smoke => &[(8, 800)],
            Profile::Quick => &[(1, 2_000), (64, 12_800), (1_000, 10_000)],
            Profile::Standard | Profile::Thorough => &[(1, 10_000), (64, 64_000), (1_000, 50_000)],
        };
        sizes
            .iter()
            .map(|&(connections, round_trips)| EchoParams {
                connections,
                message_bytes: 1024,
                round_trips,
            })
            .collect()
    }

    fn label(params: &EchoParams) -> String {
        format!("c={}", params.connections)
    }

    fn operations(params: &EchoParams) -> u64 {
        params.connections * params.round_trips_each()
    }

    fn limit(_: &EchoParams) -> Limit {
        Limit::Floor
    }
}

impl Service for Echo {
    fn new(params: &EchoParams) -> Self {
        Echo { params: params.clone(), open: AtomicUsize::new(0), census: Census::new() }
    }

    fn expected(params: &EchoParams) -> Digest {
        let mut all = Digest::of_number(0);
        for connection in 0..params.connections {
            let message = Message::new(connection, params.message_bytes as usize);
            for sequence in 0..params.round_trips_each() {
                all = all ^ Digest::of_number(message.checksum(sequence));
            }
        }
        all
    }

    fn load(params: &EchoParams) -> Load {
        Load::Echo(params.clone())
    }

    fn census(&self) -> &Census {
        &self.census
    }
}

impl Echo {
    /// Most connections the server holds at once.
    pub fn max_connections(&self) -> usize {
        self.params.connections as usize
    }

    /// Bytes of buffer that a connection gets: more than a message, so that a read which empties the
    /// socket can be told from one which fills the buffer.
    pub fn buffer_bytes(&self) -> usize {
        self.params.message_bytes as usize * 2
    }

    /// Admits one connection more, or `None` if there are enough: then close it.
    /// Keep the admission as long as the connection.
    pub fn admit(self: &Arc<Self>) -> Option<Admission> {
        let before = self.open.fetch_add(1, Relaxed);
        let admission = Admission { echo: Arc::clone(self) };
        (before < self.max_connections()).then_some(admission)
    }
}

/// The right to hold one connection.
#[derive(Debug)]
pub struct Admission {
    echo: Arc<Echo>,
}

impl Admission {
    /// A buffer for this connection.
    pub fn buffer(&self) -> Vec<u8> {
        vec![0; self.echo.buffer_bytes()]
    }

    /// Notes that the calling thread handles a message.
    pub fn note(&self) {
        self.echo.census.mark();
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.echo.open.fetch_sub(1, Relaxed);
    }
}

/// The messages of one connection: its number, a sequence number, a checksum over both and over the
/// filling, then the filling.
#[derive(Debug, Clone)]
pub struct Message {
    bytes: Vec<u8>,
    connection: u64,
    filling: u64,
}

impl Message {
    /// The message of `connection` with `size` bytes, at least 24 of them.
    pub fn new(connection: u64, size: usize) -> Self {
        let mut bytes = vec![0; size];
        fill(&mut bytes[HEADER..], connection);
        let filling = crate::digest_of_bytes(&bytes[HEADER..]).as_u64();
        bytes[..8].copy_from_slice(&connection.to_le_bytes());
        let mut message = Message { bytes, connection, filling };
        message.stamp(0);
        message
    }

    /// Makes it the message with that sequence number.
    pub fn stamp(&mut self, sequence: u64) {
        let checksum = self.checksum(sequence);
        self.bytes[8..16].copy_from_slice(&sequence.to_le_bytes());
        self.bytes[16..HEADER].copy_from_slice(&checksum.to_le_bytes());
    }

    /// The bytes to send.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The checksum that came back, or `None` if any byte differs from what was sent.
    pub fn verify(&self, received: &[u8]) -> Option<u64> {
        let checksum = received.get(16..HEADER)?.try_into().ok()?;
        (received == self.bytes).then(|| u64::from_le_bytes(checksum))
    }

    fn checksum(&self, sequence: u64) -> u64 {
        mix(mix(self.filling ^ sequence).wrapping_add(self.connection))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_right_only_to_the_last_byte_and_for_its_sequence_number() {
        let mut message = Message::new(7, 64);
        message.stamp(3);
        let mut reply = message.bytes().to_vec();
        assert_eq!(message.verify(&reply), Some(message.checksum(3)));
        message.stamp(4);
        assert_eq!(message.verify(&reply), None);
        message.stamp(3);
        reply[63] ^= 1;
        assert_eq!(message.verify(&reply), None);
        assert_eq!(message.verify(&reply[..63]), None);
        assert_eq!(message.verify(&[]), None);
    }

    #[test]
    fn connections_beyond_the_bound_are_refused_until_one_closes() {
        let params = EchoParams { connections: 2, message_bytes: 1024, round_trips: 2 };
        let echo = Arc::new(Echo::new(&params));
        let (first, second) = (echo.admit(), echo.admit());
        assert!(first.is_some() && second.is_some());
        assert!(echo.admit().is_none());
        drop(first);
        assert!(echo.admit().is_some());
    }

    #[test]
    fn every_connection_sends_at_least_one_message() {
        let params = EchoParams { connections: 1_000, message_bytes: 1024, round_trips: 10 };
        assert_eq!(Echo::operations(&params), 1_000);
    }
}
