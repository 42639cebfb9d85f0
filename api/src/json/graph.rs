//! What `picket.v1.Graph` answers, as JSON.

use crate::{names, times};

form! {
    /// Who talks to whom.
    pub Graph of GetGraphResponse as it {
        vertices: Vec<Vertex<'a>> = it.vertices.iter().map(Vertex::new).collect(),
        links: Vec<Link<'a>> = it.links.iter().map(Link::new).collect(),
        left_out_vertices: u32 = it.left_out_vertices,
        left_out_links: u32 = it.left_out_links,
        cursor: u64 = it.cursor,
    }
}

form! {
    /// One of them.
    pub(super) Vertex of Vertex as it {
        id: &'a str = &it.id,
        kind: String = names::vertex(it.kind),
        namespace: &'a str = &it.namespace,
        name: &'a str = &it.name,
        owner_kind: &'a str = &it.owner_kind,
        pods: u32 = it.pods,
        covered_pods: u32 = it.covered_pods,
        source_of: Option<Burning<'a>> = it.source_of.as_ref().map(Burning::new),
        target_of: Option<Burning<'a>> = it.target_of.as_ref().map(Burning::new),
        contained_pods: u32 = it.contained_pods,
    }
}

form! {
    /// Anomalies that are open.
    pub(super) Burning of Burning as it {
        open: u32 = it.open,
        severity: String = names::severity(it.severity),
        anomalies: &'a [String] = &it.anomalies,
    }
}

form! {
    /// That one talks to another.
    pub(super) Link of Link as it {
        source: &'a str = &it.source,
        destination: &'a str = &it.destination,
        ports: Vec<LinkPort<'a>> = it.ports.iter().map(LinkPort::new).collect(),
        further_ports: u32 = it.further_ports,
        last_seen: Option<String> = times::exact(it.last_seen),
        burning: Option<Burning<'a>> = it.burning.as_ref().map(Burning::new),
    }
}

form! {
    /// A port that is talked to.
    pub(super) LinkPort of LinkPort as it {
        transport: String = names::transport(it.transport),
        port: u32 = it.port,
        declared: bool = it.declared,
        service: &'a str = &it.service,
    }
}
