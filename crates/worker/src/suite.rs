//! The complete set of workloads, demanded of every strategy by the compiler, and variants that hold
//! some of them only.

use std::marker::PhantomData;
use std::net::TcpListener;

use serde_json::Value;
use workloads::{ParamError, Params, Service, Workload, for_each_workload};

use crate::cell::{self, ServedCell};
use crate::seam::{Run, Serve, Strategy};
use protocol::{Failure, How, Measured, RunRequest, ServeRequest};

macro_rules! suite {
    (batch: [$($workload:path),* $(,)?], service: [$($service:path),* $(,)?] $(,)?) => {
        /// A strategy that has every workload. One that lacks some is not accepted:
        ///
        /// ```compile_fail,E0277
        /// struct Nothing;
        /// impl worker::Strategy for Nothing {
        ///     const NAME: &'static str = "nothing";
        ///     const VARIANT: &'static str = "default";
        ///     fn build(_: &worker::Means) -> std::io::Result<Self> { Ok(Nothing) }
        /// }
        /// worker::Variant::of::<Nothing>(); // `Run<Gather>` is not implemented for `Nothing`
        /// ```
        pub trait Suite: Strategy $(+ Run<$workload>)* $(+ Serve<$service>)* {}

        impl<S> Suite for S where S: Strategy $(+ Run<$workload>)* $(+ Serve<$service>)* {}

        fn cells<S: Suite>() -> Vec<Cell> {
            vec![$(batch::<S, $workload>(),)* $(service::<S, $service>(),)*]
        }
    };
}
for_each_workload!(suite);

/// A strategy variant with its types erased: one function pointer per workload, called once per
/// process; everything below it is static.
#[derive(Debug)]
pub struct Variant {
    /// The strategy's name.
    pub strategy: &'static str,
    /// The variant's name.
    pub name: &'static str,
    cells: Vec<Cell>,
    /// Whether it has every workload.
    pub(crate) complete: bool,
}

impl Variant {
    /// The variant that `S` implements.
    pub fn of<S: Suite>() -> Self {
        Variant { strategy: S::NAME, name: S::VARIANT, cells: cells::<S>(), complete: true }
    }

    /// A variant that does not take part in every workload: one that is made for some of them, or
    /// holds known mistakes.
    pub fn partial<S: Strategy>() -> Partial<S> {
        Partial { cells: Vec::new(), strategy: PhantomData }
    }

    /// Names of the workloads it has.
    pub fn workloads(&self) -> Vec<String> {
        self.cells.iter().map(|cell| cell.workload.to_owned()).collect()
    }

    /// Its cell of a workload, if it has one.
    pub fn cell(&self, workload: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.workload == workload)
    }
}

/// A [`Variant`] in the making, with the workloads that were named so far.
#[derive(Debug)]
pub struct Partial<S> {
    cells: Vec<Cell>,
    strategy: PhantomData<S>,
}

impl<S: Strategy> Partial<S> {
    /// With this batch workload.
    #[must_use]
    pub fn run<W: Workload>(mut self) -> Self
    where
        S: Run<W>,
    {
        self.cells.push(batch::<S, W>());
        self
    }

    /// With this service.
    #[must_use]
    pub fn serve<T: Service>(mut self) -> Self
    where
        S: Serve<T>,
    {
        self.cells.push(service::<S, T>());
        self
    }

    /// The variant with the workloads named.
    pub fn variant(self) -> Variant {
        Variant { strategy: S::NAME, name: S::VARIANT, cells: self.cells, complete: false }
    }
}

/// What a variant does with one workload.
#[derive(Debug)]
pub struct Cell {
    /// Name of the workload.
    pub workload: &'static str,
    /// The form with some parameters, or the reason why there is none; an error if they are not the workload's.
    pub how: fn(&Value) -> Result<How, ParamError>,
    /// What does the work.
    pub body: Body,
}

/// The two kinds of cell.
#[derive(Debug)]
pub enum Body {
    /// Runs a batch workload.
    Run(fn(&RunRequest) -> Result<Measured, Failure>),
    /// Serves a service that has bound its address.
    Serve(fn(&ServeRequest, TcpListener) -> Result<ServedCell, Failure>),
}

fn batch<S: Run<W>, W: Workload>() -> Cell {
    Cell {
        workload: W::SPEC.name,
        how: |params| Ok(<S as Run<W>>::how(&W::Params::from_json(params)?)),
        body: Body::Run(cell::run::<S, W>),
    }
}

fn service<S: Serve<T>, T: Service>() -> Cell {
    Cell {
        workload: T::SPEC.name,
        how: |params| Ok(<S as Serve<T>>::how(&T::Params::from_json(params)?)),
        body: Body::Serve(cell::serve::<S, T>),
    }
}
