//! What is asked for.

/// What is needed beyond building.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Needs {
    /// The tools of the lab.
    pub(crate) lab: bool,
    /// The tools of `lint`.
    pub(crate) lint: bool,
    /// What checks the chart and the manifests.
    pub(crate) manifests: bool,
    /// The schemas of the forms of events.
    pub(crate) forms: bool,
    /// What builds the page.
    pub(crate) page: bool,
    /// A browser, and what drives it through the page.
    pub(crate) browser: bool,
    /// Virtual machines.
    pub(crate) machines: bool,
    /// A Kubernetes of our own.
    pub(crate) cluster: bool,
    /// The interpreter of the dated nightly.
    pub(crate) miri: bool,
    /// The fuzzer.
    pub(crate) fuzz: bool,
}
