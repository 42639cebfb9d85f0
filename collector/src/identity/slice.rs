//! An EndpointSlice, in whichever version the API server has it.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Resource,
    core::{ApiResource, DynamicResourceScope, GroupVersionKind},
};
use serde::Deserialize;

/// v1 is there from Kubernetes 1.21 on, v1beta1 until 1.24. What is read here is the same in both.
pub(super) const VERSIONS: [&str; 2] = ["v1", "v1beta1"];

/// Some of what is behind a Service.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Slice {
    #[serde(default)]
    pub(super) metadata: ObjectMeta,
    pub(super) endpoints: Option<Vec<Endpoint>>,
    pub(super) ports: Option<Vec<Port>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Endpoint {
    #[serde(default)]
    pub(super) addresses: Vec<String>,
    /// Whose addresses they are; none when somebody wrote them down.
    pub(super) target_ref: Option<Reference>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Reference {}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Port {
    pub(super) port: Option<i32>,
    pub(super) protocol: Option<String>,
}

/// Where a version of it is served.
pub(super) fn resource(version: &str) -> ApiResource {
    let kind = GroupVersionKind::gvk("discovery.k8s.io", version, "EndpointSlice");
    ApiResource::from_gvk_with_plural(&kind, "endpointslices")
}

impl Resource for Slice {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
