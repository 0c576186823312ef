//! What the HTTP services `serve`, `endpoints`, `mixed` and `traffic` have in common: all but their parameters.

use std::sync::Arc;

use crate::service::{Bounds, Requests};
use crate::{Census, Definition, Digest, Facts, HttpLoad, Load, Params, Service};

/// An HTTP service with these parameters, and the state that all its connections share.
#[derive(Debug)]
pub struct HttpServer<P> {
    pub(crate) params: P,
    requests: Arc<Requests>,
}

/// The parameters of an HTTP service.
pub trait HttpParams: Params {
    /// What the load generator does with a service of these parameters.
    fn load(&self) -> HttpLoad;

    /// What the service may hold: as many connections as the load generator keeps open.
    fn bounds(&self) -> Bounds {
        Bounds::of(self.load().connections)
    }

    /// What the handlers noted since the last call, besides threads.
    ///
    /// # Errors
    /// The sentence that says which rule of the service the strategy broke.
    fn facts(&self, requests: &Requests) -> Result<Facts, String> {
        Ok(requests.facts())
    }
}

impl<P> HttpServer<P> {
    /// The state that all connections share.
    pub fn requests(&self) -> &Arc<Requests> {
        &self.requests
    }
}

impl<P: HttpParams> Service for HttpServer<P>
where
    Self: Definition<Params = P>,
{
    fn new(params: &P) -> Self {
        HttpServer { params: params.clone(), requests: Requests::new(params.bounds()) }
    }

    fn expected(params: &P) -> Digest {
        params.load().expected()
    }

    fn load(params: &P) -> Load {
        Load::Http(params.load())
    }

    fn census(&self) -> &Census {
        self.requests.census()
    }

    fn facts(&self) -> Result<Facts, String> {
        self.params.facts(&self.requests)
    }
}
