//! The requests that a load is made of, and what each must be answered with.

use std::net::SocketAddr;

use workloads::HttpLoad;

use super::http::Expect;

/// The kinds of requests of a load: one for each class and each seed that the class is sent with.
#[derive(Debug)]
pub struct Kinds {
    expected: Vec<Expect>,
    /// The right answers.
    answers: Vec<u64>,
    /// The first kind of each class.
    first: Vec<usize>,
}

impl Kinds {
    /// Those of `load` as they are sent to `target`. Computes every right answer.
    pub fn of(load: &HttpLoad, target: SocketAddr) -> Self {
        let host = target.to_string();
        let mut kinds = Kinds { expected: Vec::new(), answers: Vec::new(), first: Vec::new() };
        for class in 0..load.mix.len() {
            kinds.first.push(kinds.expected.len());
            for seed in 0..load.seeds(class) {
                let work = load.work(class, seed);
                let mut request = Vec::new();
                workloads::http::write_get(&mut request, &host, &work.target());
                let answer = work.compute();
                let expected = Expect { request, answer: Some((200, work.body_with(answer))) };
                kinds.expected.push(expected);
                kinds.answers.push(answer);
            }
        }
        kinds
    }

    /// Requests and answers of all kinds.
    pub fn expected(&self) -> &[Expect] {
        &self.expected
    }

    /// The kind of a request of this class with this seed.
    pub fn of_request(&self, (class, seed): (usize, u64)) -> usize {
        self.first[class] + seed as usize
    }

    /// What the requests of all kinds compute, in their order.
    pub(super) fn answers(&self) -> &[u64] {
        &self.answers
    }
}
